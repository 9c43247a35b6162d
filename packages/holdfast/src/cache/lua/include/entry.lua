-- What is stored for a value: see entry.ts. Needs the include `now`.
local function entryOf(payload, ttlMs)
  return struct.pack('>BI6', 1, now() + ttlMs) .. payload
end
