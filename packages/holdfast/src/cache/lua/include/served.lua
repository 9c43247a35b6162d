-- What stands before an entry's value, and the two bytes of that by which the remembered "there is none" is known (entry.ts, core/codec/header.ts);
-- empty where there is no entry of this format. Needs the include `entry`.
local function headOf(value)
  local head = redis.pcall('GETRANGE', value, 0, 16)
  if type(head) ~= 'string' or #head < 14 or string.byte(head) % 16 ~= 2 or string.byte(head) >= 64 then return '' end
  if string.byte(head) < 32 then return string.sub(head, 1, 15) end
  return redis.call('GETRANGE', value, 0, 16 + struct.unpack('>I2', head, 14))
end
-- Whether its reader is given a value, if it is not invalid.
local function isServed(head)
  if head == '' or isOver(head) then return false end
  return not (string.byte(head, -2) == 249 and string.byte(head, -1) % 16 == 15)
end
