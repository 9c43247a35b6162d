--- What a worker holds: for one that does not know, because the answer to a claim was lost.
-- @class read
-- @include remembered
-- @key active
-- @key jobs
-- @key meta
-- @result ok ids:list<text> fences:list<text> records:list<bytes?> failures:list<bytes?> crashed:list<text?>
local MAX_HELD = 1000
local flat = redis.call('ZRANGE', active, 0, MAX_HELD - 1, 'WITHSCORES')
local ids, fences = {}, {}
for at = 1, #flat, 2 do
  ids[#ids + 1] = flat[at]
  fences[#fences + 1] = string.format('%.0f', tonumber(flat[at + 1]))
end
if #ids == 0 then return {'ok', ids, fences, {}, {}, {}} end
return {'ok', ids, fences, redis.call('HMGET', jobs, unpack(ids)), remembered(meta, ids)}
