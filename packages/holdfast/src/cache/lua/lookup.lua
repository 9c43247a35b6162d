--- Read the value, or take the right to load it: of all callers that miss, one gets `leased`, the others `wait`.
-- The token lives beside the value, not in it, and whoever deletes the value deletes the token with it.
-- An attempt whose answer was lost may be carried out late, after an invalidation. So each attempt of a flight has a number of its own, which is
-- part of the token: a later one takes over from an earlier one, and what the late one takes is no right of the flight's.
-- `refused`: a server that takes no writes for the moment can give nobody the right.
-- @class unsafe
-- @batch 64
-- @include taken
-- @include now
-- @include entry
-- @key value
-- @key lease
-- @arg flight text
-- @arg attempt int
-- @arg leaseMs int
-- @arg known bytes       how the entry begins that the caller has found; none: any
-- @arg reload bool       whether that is of no use to the caller, also if its time is not over
-- @result hit value:bytes
-- @result leased
-- @result wait leaseMs:int
-- @result refused reason:text
local found = redis.pcall('GET', value)
if type(found) == 'string' then
  local isKnown = known ~= '' and string.sub(found, 1, #known) == known
  local isNoUse = reload and (isKnown or known == '')
  if not isNoUse and not isOver(found) then return {'hit', found} end
-- A key of another type is as good as none: what is loaded takes its place.
elseif found and string.sub(found.err, 1, 9) ~= 'WRONGTYPE' then
  return found
end
local holder = redis.call('HGET', lease, 'token')
if holder then
  local holding, before = string.match(holder, '^(.*)%.(%d+)$')
  if holding ~= flight or tonumber(before) > attempt then
    -- The first needs no memory, so that memory which is full ends no waiting.
    local noted, reason = taken('HDEL', lease, 'waiters')
    if not noted then return {'refused', reason} end
    redis.call('HSET', lease, 'waiters', 1)
    return {'wait', redis.call('PTTL', lease)}
  end
end
local granted, reason = taken('HSET', lease, 'token', flight .. '.' .. attempt)
if not granted then return {'refused', reason} end
redis.call('PEXPIRE', lease, leaseMs)
return {'leased'}
