--- Adds hashes to a window: a list of them, which is exact, and a HyperLogLog once there are more than 128. `foreign`: the key holds
-- something else, and nothing was changed.
-- @class idempotent
-- @batch
-- @key window            string: `uniques1` and 8 bytes for each hash, or a HyperLogLog
-- @arg hashes bytes      8 bytes each
-- @arg expiresAt int     ms
-- @arg ttlMs int         instead, from now; 0: none
-- @result ok
-- @result foreign
local HEAD = 'uniques1'
local EXACT = 128
local head = redis.call('GETRANGE', window, 0, #HEAD - 1)
local isSketch = string.sub(head, 1, 4) == 'HYLL'
if head ~= '' and head ~= HEAD and not isSketch then return {'foreign'} end
local kept = not isSketch and redis.call('GET', window) or HEAD
local all = {}
local isNew = {}
for at = 1, #hashes, 8 do
  local hash = string.sub(hashes, at, at + 7)
  local found = string.find(kept, hash, #HEAD + 1, true)
  -- One that begins within another is none.
  while found and found % 8 ~= 1 do found = string.find(kept, hash, found + 1, true) end
  if not found and not isNew[hash] then
    isNew[hash] = true
    all[#all + 1] = hash
  end
end
if #all > 0 and (isSketch or (#kept - #HEAD) / 8 + #all > EXACT) then
  for at = #HEAD + 1, #kept, 8 do all[#all + 1] = string.sub(kept, at, at + 7) end
  if head == HEAD then redis.call('DEL', window) end
  redis.call('PFADD', window, unpack(all))
  if head == HEAD then head = '' end
elseif #all > 0 then
  redis.call('APPEND', window, (head == '' and HEAD or '') .. table.concat(all))
end
if ttlMs > 0 then
  redis.call('PEXPIRE', window, ttlMs)
elseif head == '' then
  redis.call('PEXPIREAT', window, expiresAt)
end
return {'ok'}
