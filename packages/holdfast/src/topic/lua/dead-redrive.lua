--- Puts dead letters back to their subscription, to be handled again with all their attempts. Returns how many were dead.
-- @class idempotent
-- @include now
-- @include shared
-- @key state         of the subscription if it is of kind `shared`
-- @key dead
-- @key records
-- @key redriven
-- @arg wakeChannel text
-- @arg wake text
-- @arg letters... text
-- @returns int
local keepMs = redis.call('PTTL', records)
local isShared = redis.call('EXISTS', state) == 1
-- So that a token of its life before is not valid again.
local tag = math.floor(now() / 1000) % ROUNDS * ROUND
local score = whole(now() * TAGS + tag)
local moved = 0
for _, letter in ipairs(letters) do
  if redis.call('ZREM', dead, letter) == 1 and redis.call('HEXISTS', records, letter) == 1 then
    redis.call('ZADD', redriven, whole(now()), letter)
    if isShared then redis.call('ZADD', state, score, 'c' .. letter) end
    moved = moved + 1
  end
end
if moved > 0 then
  if keepMs > 0 then redis.call('PEXPIRE', redriven, keepMs) end
  redis.call('PUBLISH', wakeChannel, wake)
end
return moved
