--- Claim a unique value for a record. `mine`: this record's claim is there already, and has a new token now.
-- @class idempotent
-- @batch 64
-- @key claim
-- @arg token text        16 characters
-- @arg id text
-- @arg stale text        another record's claim that may be replaced, as it is stored
-- @arg ttlMs int
-- @result made
-- @result mine
-- @result held stored:text
local TOKEN_LENGTH = 16
local stored = redis.call('GET', claim)
local isMine = stored and string.sub(stored, TOKEN_LENGTH + 1) == id
if stored and not isMine and stored ~= stale then return {'held', stored} end
redis.call('SET', claim, token .. id, 'PX', ttlMs)
return {isMine and 'mine' or 'made'}
