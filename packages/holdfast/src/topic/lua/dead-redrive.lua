--- Puts dead letters back to their subscription, to be handled again with all their attempts, in the order in which they died. Returns how many were dead.
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
local PLACES_PER_MS = 1024

local keepMs = redis.call('PTTL', records)
local isShared = redis.call('EXISTS', state) == 1
-- So that a token of its life before is not valid again.
local tag = math.floor(now() / 1000) % ROUNDS * ROUND
local score = whole(now() * TAGS + tag)
local diedAt, there = {}, {}
for _, letter in ipairs(letters) do
  local at = tonumber(redis.call('ZSCORE', dead, letter))
  if at and not diedAt[letter] then
    diedAt[letter] = at
    there[#there + 1] = letter
  end
end
table.sort(there, function(one, other) return diedAt[one] < diedAt[other] end)
-- Each has a place of its own, which no earlier life of it had.
local last = tonumber(redis.call('ZRANGE', redriven, -1, -1, 'WITHSCORES')[2] or 0)
local place = math.max(now() * PLACES_PER_MS, last + 1)
local moved = 0
for _, letter in ipairs(there) do
  redis.call('ZREM', dead, letter)
  if redis.call('HEXISTS', records, letter) == 1 then
    redis.call('ZADD', redriven, whole(place + moved), letter)
    if isShared then redis.call('ZADD', state, score, 'c' .. letter) end
    moved = moved + 1
  end
end
if moved > 0 then
  if keepMs > 0 then redis.call('PEXPIRE', redriven, keepMs) end
  redis.call('PUBLISH', wakeChannel, wake)
end
return moved
