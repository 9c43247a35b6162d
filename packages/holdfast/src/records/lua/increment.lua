--- Add to a number of a record that is there. In doubles, like JavaScript: HINCRBYFLOAT would give other sums.
-- @class unsafe
-- @batch 48
-- @include now
-- @include record
-- @key record
-- @arg opId text
-- @arg ttlMs int
-- @arg field text
-- @arg by float
-- @result ok value:float version:int
-- @result missing
-- @result notANumber
-- @result outOfRange
local MAX_WHOLE = 9007199254740991
local function isWhole(number)
  return number % 1 == 0 and math.abs(number) <= MAX_WHOLE
end
local state = stateOf(record)
if not state then return {'missing'} end
local stored = redis.call('HGET', record, 'd:' .. field) or '0'
-- Anything else than a number begins with a header, and Lua's number reader takes 'inf' and 'nan'.
local value = string.find(stored, '^-?%d') and tonumber(stored)
if not value then return {'notANumber'} end
local sum = value + by
local rounds = isWhole(value) and isWhole(by) and not isWhole(sum)
if rounds or math.abs(sum) == math.huge then return {'outOfRange'} end
local text = string.format('%.17g', sum)
return {'ok', text, commit(record, state, opId, ttlMs, {'d:' .. field, text})}
