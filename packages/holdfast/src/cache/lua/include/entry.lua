-- What is stored for a value: see entry.ts. Needs the include `now`.
local function entryOf(head, payload, freshMs)
  return string.sub(head, 1, 1) .. struct.pack('>I6', now() + freshMs) .. string.sub(head, 2) .. payload
end
-- Whether an entry is kept past its time, which is over.
local function isOver(stored)
  return math.floor(string.byte(stored) / 16) % 2 == 1 and #stored > 7 and struct.unpack('>I6', stored, 2) <= now()
end
