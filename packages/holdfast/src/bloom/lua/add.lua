--- Adds members to a segment of a filter, and says of each whether it was there: `1` it was not, `0` it was, or is taken for one that was,
-- `2` neither, and the segment is full. The segment of this generation is written; members of the one before count as there.
-- @class idempotent
-- @batch
-- @include now
-- @key current     string: 4 bytes that count its members, then the bits
-- @key previous    of the generation before; without generations, the same as `current`
-- @key next        of the generation after; likewise
-- @arg positions text    of all members' bits, behind those of the count: `hashes` of them for each member
-- @arg hashes int
-- @arg bits int          of the segment, with those of the count
-- @arg capacity int      of the segment
-- @arg endsAt int        when this generation ends, ms; 0: there are no generations
-- @arg ttlMs int         how long one lasts
-- @result ok answers:text
if endsAt > 0 and now() >= endsAt then
  previous, current, endsAt = current, next, endsAt + ttlMs
end
local read, write = {}, {}
for position in string.gmatch(positions, '%d+') do
  local at, to = #read, #write
  read[at + 1], read[at + 2], read[at + 3] = 'GET', 'u1', position
  write[to + 1], write[to + 2], write[to + 3], write[to + 4] = 'SET', 'u1', position, 1
end
local members = #read / 3 / hashes
local count = redis.call('BITFIELD_RO', current, 'GET', 'u32', 0)[1]
local isNew = count == 0
-- All bytes at once: a string that grows is given twice as many.
if isNew then redis.call('SETBIT', current, bits - 1, 0) end
local before = current ~= previous and redis.call('BITFIELD_RO', previous, unpack(read))
local function isSet(replies, member)
  for at = member * hashes + 1, (member + 1) * hashes do
    if replies[at] == 0 then return false end
  end
  return true
end
local answers = {}
local function answered(member, wasThere)
  if not wasThere then count = count + 1 end
  answers[member + 1] = (wasThere or (before and isSet(before, member))) and '0' or '1'
end
if count + members <= capacity then
  local replies = redis.call('BITFIELD', current, unpack(write))
  for member = 0, members - 1 do answered(member, isSet(replies, member)) end
else
  for member = 0, members - 1 do
    local from = member * hashes
    local replies = redis.call('BITFIELD_RO', current, unpack(read, 3 * from + 1, 3 * (from + hashes)))
    if isSet(replies, 0) then
      answered(member, true)
    elseif count < capacity then
      redis.call('BITFIELD', current, unpack(write, 4 * from + 1, 4 * (from + hashes)))
      answered(member, false)
    else
      answers[member + 1] = '2'
    end
  end
end
redis.call('BITFIELD', current, 'SET', 'u32', 0, count)
if isNew and endsAt > 0 then redis.call('PEXPIREAT', current, endsAt + ttlMs) end
return {'ok', table.concat(answers)}
