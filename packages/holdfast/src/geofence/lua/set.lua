--- Sets a fence, or removes it with an empty text, and the cells that it is found by.
-- @class idempotent
-- @key fences
-- @arg id bytes
-- @arg text bytes         what it is; '' removes it
-- @arg maxFences int
-- @arg maxPerCell int
-- @arg cells... text      none for a fence that is removed
-- @result ok existed:bool
-- @result limit limit:text
-- One hash has all of it, so that memory eviction takes all or nothing: 'f' and an id is a fence, after its cells and a line feed; 'c' and a
-- cell are the ids found by it, separated by NUL; 'n' is how many fences there are.
local old = redis.call('HGET', fences, 'f' .. id)
local before, after = {}, {}
for cell in string.gmatch(old and string.match(old, '^[^\n]*') or '', '%S+') do before[cell] = true end
for _, cell in ipairs(cells) do after[cell] = true end
local count = tonumber(redis.call('HGET', fences, 'n')) or 0
if text ~= '' and not old and count >= maxFences then return {'limit', 'fences'} end

local function idsOf(cell)
  local ids = {}
  for each in string.gmatch(redis.call('HGET', fences, 'c' .. cell) or '', '[^%z]+') do ids[#ids + 1] = each end
  return ids
end
local added = {}
for cell in pairs(after) do
  if not before[cell] then
    local ids = idsOf(cell)
    if #ids >= maxPerCell then return {'limit', 'cell'} end
    ids[#ids + 1] = id
    added[cell] = table.concat(ids, '\0')
  end
end
for cell, ids in pairs(added) do redis.call('HSET', fences, 'c' .. cell, ids) end
for cell in pairs(before) do
  if not after[cell] then
    local left = {}
    for _, each in ipairs(idsOf(cell)) do
      if each ~= id then left[#left + 1] = each end
    end
    if #left > 0 then
      redis.call('HSET', fences, 'c' .. cell, table.concat(left, '\0'))
    else
      redis.call('HDEL', fences, 'c' .. cell)
    end
  end
end
if text ~= '' then
  redis.call('HSET', fences, 'f' .. id, table.concat(cells, ' ') .. '\n' .. text)
  if not old then redis.call('HSET', fences, 'n', count + 1) end
elseif old then
  redis.call('HDEL', fences, 'f' .. id)
  if count > 1 then redis.call('HSET', fences, 'n', count - 1) else redis.call('UNLINK', fences) end
end
return {'ok', old and true or false}
