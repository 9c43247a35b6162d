--- What is known of a key.
-- @class read
-- @include now
-- @include record
-- @key entry
-- @result none
-- @result free fence:int attempt:int
-- @result running fence:int attempt:int leftMs:int
-- @result stored kind:text payload:bytes
local found = redis.call('GET', entry)
if not found then return {'none'} end
local it = read(found)
if it.state == 'v' or it.state == 'e' then return {'stored', it.state, string.sub(found, it.at)} end
local leftMs = leftOf(it)
if leftMs > 0 then return {'running', it.fence, it.attempt, leftMs} end
return {'free', it.fence, it.attempt}
