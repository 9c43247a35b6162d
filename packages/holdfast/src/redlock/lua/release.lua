--- Takes a vote back, also one that is still on its way.
-- @class dedupable
-- @key lock
-- @key ended
-- @arg token text
-- @arg lateCopies bool
-- @result released
-- @result expired
-- @result stolen
-- A copy that arrives later than this has come far too late for anybody.
local ENDED_TTL_MS = 600000

local holder = redis.call('GET', lock)
if holder == token then redis.call('DEL', lock) end
-- Where memory is full there is no mark; a late copy then has the vote for one ttl.
if lateCopies then redis.pcall('SET', ended, '', 'PX', ENDED_TTL_MS) end
if holder == token then return {'released'} end
return {holder and 'stolen' or 'expired'}
