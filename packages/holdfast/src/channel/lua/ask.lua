--- Hands a request to one responder of a group, in turn; one that is not connected is passed over.
-- @class unsafe
-- @include now
-- @key responders        of the group: ids with the ends of their leases
-- @arg to text           what the names of the responders' channels begin with
-- @arg call text         the channel of all responders, who register again when they hear of it
-- @arg turn int          whose turn it is
-- @arg last bool         nobody is waited for any more: those who are not connected are forgotten
-- @arg frame bytes
-- @result sent responder:text
-- @result away
-- @result none
-- `away`: some are registered or connected, but none is both. A subscription's end is known at once, its connection's too: SPUBLISH counts who gets the message, and all of them are in this slot.
local MOST_AT_A_TIME = 32

redis.call('ZREMRANGEBYSCORE', responders, '-inf', now())
local count = redis.call('ZCARD', responders)
local probes = math.min(count, MOST_AT_A_TIME)
local gone = {}
for step = 0, probes - 1 do
  local at = (turn + step) % count
  local id = redis.call('ZRANGE', responders, at, at)[1]
  if redis.call('SPUBLISH', to .. id, frame) > 0 then
    if #gone > 0 then redis.call('ZREM', responders, unpack(gone)) end
    return {'sent', id}
  end
  gone[#gone + 1] = id
end
if last and #gone > 0 then redis.call('ZREM', responders, unpack(gone)) end
if last and probes == count then return 'none' end
if count > 0 or redis.call('SPUBLISH', call, '') > 0 then return 'away' end
return 'none'
