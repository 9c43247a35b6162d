--- Claim a unique value for a record. `mine`: this record's claim is there already, and has a new token now, of the later time.
-- @class idempotent
-- @batch 64
-- @key claim
-- @arg token text        16 characters, the last 8 of which are its time
-- @arg id text
-- @arg stale text        another record's claim that may be replaced, as it is stored
-- @arg ttlMs int
-- @result made
-- @result mine
-- @result held stored:text
local TOKEN_LENGTH, TIME_AT = 16, 9
local stored = redis.call('GET', claim)
local isMine = stored and string.sub(stored, TOKEN_LENGTH + 1) == id
if stored and not isMine and stored ~= stale then return {'held', stored} end
-- Never older than before: another writer of this record may be on its way with it.
local madeAt, before = string.sub(token, TIME_AT), isMine and string.sub(stored, TIME_AT, TOKEN_LENGTH)
if before and before > madeAt then madeAt = before end
redis.call('SET', claim, string.sub(token, 1, TIME_AT - 1) .. madeAt .. id, 'PX', ttlMs)
return {isMine and 'mine' or 'made'}
