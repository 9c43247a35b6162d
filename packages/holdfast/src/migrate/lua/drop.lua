--- Remove jobs that are in the other queue by now, with all that BullMQ keeps of them.
-- @class idempotent
-- @key taken
-- @arg prefix text
-- @arg places... text  of each job: state, score, id
-- @returns int
local count = 0
for at = 1, #places, 3 do
  local id = places[at + 2]
  if redis.call('LREM', taken, 1, cjson.encode({places[at], places[at + 1], id})) == 1 then
    local key = prefix .. id
    local deduplication = redis.call('HGET', key, 'deid')
    if deduplication and redis.call('GET', prefix .. 'de:' .. deduplication) == id then
      redis.call('DEL', prefix .. 'de:' .. deduplication, prefix .. 'dn:' .. deduplication)
    end
    redis.call('DEL', key, key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
    count = count + 1
  end
end
return count
