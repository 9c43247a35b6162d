--- Forgets dead letters. Returns how many were there.
-- @class idempotent
-- @key of           `dead`, or `redriven`
-- @key records
-- @arg letters... text
-- @returns int
local removed = 0
for _, letter in ipairs(letters) do
  if redis.call('ZREM', of, letter) == 1 then
    redis.call('HDEL', records, letter)
    removed = removed + 1
  end
end
return removed
