--- Keep all members of a node in the room. `held`: how many they are. `lost`: they are out.
-- @class idempotent
-- @include now
-- @include room
-- @key room
-- @arg node text
-- @arg ttlMs int         as for a change
-- @arg keepMs int
-- @arg channel text
-- @arg wakeChannel text
-- @result ok held:int
-- @result lost
local r = openRoom(room, channel, wakeChannel, keepMs)
local held = heldBy(r, node)
local outAt = tonumber(redis.call('ZSCORE', r.nodes, node))
local fields = redis.call('HLEN', held)
-- The members of a node were evicted.
if outAt and fields == 0 then
  reset(r)
  return {'lost'}
end
if not outAt then unknown(r) end
if not outAt or outAt <= now() then return {'lost'} end
-- In front of what a full memory would refuse.
redis.call('PEXPIRE', held, keepMs)
redis.call('ZADD', r.nodes, now() + ttlMs, node)
local epoch = r.epoch
sweep(r)
if r.epoch ~= epoch then return {'lost'} end
finish(r)
keep(r)
return {'ok', fields - NODE_FIELDS}
