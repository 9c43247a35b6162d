--- Returns dead letters in the order in which they died, or those that were put back.
-- @class read
-- @key of           `dead`, or `redriven`
-- @key records
-- @arg after text   the score behind which the page begins
-- @arg limit int
-- @returns rows<letter:text,score:float,record:bytes>
local found = redis.call('ZRANGE', of, '(' .. after, '+inf', 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
if #found == 0 then return {} end
local letters = {}
for at = 1, #found, 2 do letters[#letters + 1] = found[at] end
local rows = {}
for index, record in ipairs(redis.call('HMGET', records, unpack(letters))) do
  local at = #rows
  rows[at + 1], rows[at + 2], rows[at + 3] = letters[index], found[index * 2], record or ''
end
return rows
