--- Adds hashes to a window: a list of them, which is exact, and a HyperLogLog once there are more than 128. `foreign`: the key holds
-- something else, and nothing was changed.
-- @class idempotent
-- @batch 128
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
local all, count = {}, 0
local kept = HEAD
if isSketch then
  for at = 1, #hashes, 8 do
    count = count + 1
    all[count] = string.sub(hashes, at, at + 7)
  end
else
  kept = redis.call('GET', window) or HEAD
  local isNew = {}
  for at = 1, #hashes, 8 do
    local hash = string.sub(hashes, at, at + 7)
    local found = string.find(kept, hash, #HEAD + 1, true)
    -- One that begins within another is none.
    while found and found % 8 ~= 1 do found = string.find(kept, hash, found + 1, true) end
    if not found and not isNew[hash] then
      isNew[hash] = true
      count = count + 1
      all[count] = hash
    end
  end
end
if isSketch then
  redis.call('PFADD', window, unpack(all))
elseif (#kept - #HEAD) / 8 + count > EXACT then
  for at = #HEAD + 1, #kept, 8 do
    count = count + 1
    all[count] = string.sub(kept, at, at + 7)
  end
  redis.call('DEL', window)
  redis.call('PFADD', window, unpack(all))
  head = ''
elseif count > 0 then
  redis.call('APPEND', window, (head == '' and HEAD or '') .. table.concat(all))
end
if ttlMs > 0 then
  redis.call('PEXPIRE', window, ttlMs)
elseif head == '' then
  redis.call('PEXPIREAT', window, expiresAt)
end
return {'ok'}
