-- What is stored for a value: see entry.ts. Needs the include `now`. A time below 0 has no end.
local function untilOf(freshMs)
  return struct.pack('>I6', freshMs < 0 and 281474976710655 or now() + freshMs)
end
local function store(value, head, payload, freshMs, keepMs)
  local entry = string.sub(head, 1, 1) .. untilOf(freshMs) .. string.sub(head, 2) .. payload
  if keepMs < 0 then redis.call('SET', value, entry) else redis.call('SET', value, entry, 'PX', keepMs) end
end
-- Whether an entry is kept past its time.
local function hasGrace(stored)
  return #stored > 7 and math.floor(string.byte(stored) / 16) % 2 == 1
end
-- Whether it is, and its time is over.
local function isOver(stored)
  return hasGrace(stored) and struct.unpack('>I6', stored, 2) <= now()
end
