--- Moves an entity: which fences it has entered, dwelt in and left since it was tracked before.
-- A fence of the state is '<since> <entered> <leaving> <dwelt>', in milliseconds of the server's clock, 0 for what did not happen. A call that
-- was executed before is answered as it was then; unknown: it was sent before, and so many came since that nobody knows whether it was executed.
-- @class dedupable
-- @include now
-- @key state
-- @arg call text          the same when it is sent again
-- @arg again bool         whether it is
-- @arg at float           when the entity was there; -1: not known, after all before
-- @arg settleMs int
-- @arg dwellMs int        0: never
-- @arg ttlMs int
-- @arg most int           fences of one entity
-- @arg inside bytes       ids separated by NUL
-- @arg near bytes
-- @result ok transitions:rows<kind:text,fence:text,number:int,at:int,since:int>
-- @result stale at:float
-- @result limit
-- @result unknown
local REMEMBERED = 8
local AT, CALLS, NUMBER = '\0at', '\0calls', '\0number'
local flat = redis.call('HGETALL', state)
local known, calls, number, last = {}, {}, 0, false
for i = 1, #flat, 2 do
  if flat[i] == AT then last = tonumber(flat[i + 1])
  elseif flat[i] == NUMBER then number = tonumber(flat[i + 1])
  elseif flat[i] == CALLS then calls = cjson.decode(flat[i + 1])
  else known[flat[i]] = flat[i + 1] end
end
for _, each in ipairs(calls) do
  if each[1] == call then
    table.remove(each, 1)
    return {'ok', each}
  end
end
if again and #calls == REMEMBERED then return {'unknown'} end
if at >= 0 and last and at < last then return {'stale', string.format('%.17g', last)} end

local function setOf(packed)
  local set, ids = {}, {}
  for id in string.gmatch(packed, '[^%z]+') do
    set[id] = true
    ids[#ids + 1] = id
  end
  return set, ids
end
local isInside, ids = setOf(inside)
local isNear = setOf(near)
if #ids > most then return {'limit'} end

local told, writes, gone = {}, {}, {}
local function tell(kind, id, since)
  number = number + 1
  for _, each in ipairs({kind, id, string.format('%.0f', number), string.format('%.0f', now()), string.format('%.0f', since)}) do
    told[#told + 1] = each
  end
end
local function keep(id, since, entered, leaving, dwelt)
  writes[#writes + 1] = id
  writes[#writes + 1] = string.format('%.0f %.0f %.0f %.0f', since, entered, leaving, dwelt)
end
for id, text in pairs(known) do
  if not isInside[id] then ids[#ids + 1] = id end
end
-- With those that it has not left yet.
if #ids > most * 2 then return {'limit'} end
table.sort(ids)
for _, id in ipairs(ids) do
  local since, entered, leaving, dwelt = string.match(known[id] or '', '^(%d+) (%d+) (%d+) (%d+)$')
  since, entered, leaving, dwelt = tonumber(since or now()), tonumber(entered or 0), tonumber(leaving or 0), tonumber(dwelt or 0)
  if isInside[id] or entered > 0 and isNear[id] then
    leaving = 0
    if entered == 0 and now() - since >= settleMs then
      entered = now()
      tell('enter', id, since)
    end
    if entered > 0 and dwelt == 0 and dwellMs > 0 and now() - since >= dwellMs then
      dwelt = now()
      tell('dwell', id, since)
    end
    keep(id, since, entered, leaving, dwelt)
  elseif entered == 0 then
    gone[#gone + 1] = id
  else
    if leaving == 0 then leaving = now() end
    if now() - leaving >= settleMs then
      tell('exit', id, since)
      gone[#gone + 1] = id
    else
      keep(id, since, entered, leaving, dwelt)
    end
  end
end

local entry = {call}
for _, each in ipairs(told) do entry[#entry + 1] = each end
table.insert(calls, 1, entry)
calls[REMEMBERED + 1] = nil
if #gone > 0 then redis.call('HDEL', state, unpack(gone)) end
if at >= 0 then redis.call('HSET', state, AT, string.format('%.17g', at)) end
redis.call('HSET', state, CALLS, cjson.encode(calls), NUMBER, string.format('%.0f', number), unpack(writes))
redis.call('PEXPIRE', state, ttlMs)
return {'ok', told}
