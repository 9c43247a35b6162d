--- Forgets dead letters. Returns how many were there.
-- @class idempotent
-- @key dead
-- @key records
-- @arg letters... text
-- @returns int
local removed = 0
for _, letter in ipairs(letters) do
  if redis.call('ZREM', dead, letter) == 1 then
    redis.call('HDEL', records, letter)
    removed = removed + 1
  end
end
return removed
