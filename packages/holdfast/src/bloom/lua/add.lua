--- Adds members to a segment of a filter, and says of each whether it was there: `1` it was not, `0` it was, or is taken for one that was,
-- `2` neither, and the segment is full. The segment of this generation is written; members of the one before count as there. `late`: the next
-- generation is over too, and nothing was changed.
-- @class idempotent
-- @batch 64
-- @include now
-- @key current     string: 4 bytes that count its members, then the bits
-- @key previous    of the generation before; without generations, the same as `current`
-- @key next        of the generation after; likewise
-- @arg positions text    of all members' bits, behind those of the count: `hashes` of them for each member
-- @arg hashes int
-- @arg allBits int       of the segment, with those of the count
-- @arg capacity int      of the segment
-- @arg endsAt int        when this generation ends, ms; 0: there are no generations
-- @arg ttlMs int         how long one lasts
-- @result ok answers:text
-- @result late
if endsAt > 0 and now() >= endsAt + ttlMs then return {'late'} end
if endsAt > 0 and now() >= endsAt then
  previous, current, endsAt = current, next, endsAt + ttlMs
end
local write, size = {}, 0
for position in string.gmatch(positions, '%d+') do
  write[size + 1], write[size + 2], write[size + 3], write[size + 4] = 'SET', 'u1', position, 1
  size = size + 4
end
local members = size / 4 / hashes
local function bits(key, from, to)
  local read, last = {}, 0
  for at = 4 * from * hashes + 3, 4 * to * hashes, 4 do
    read[last + 1], read[last + 2], read[last + 3] = 'GET', 'u1', write[at]
    last = last + 3
  end
  return redis.call('BITFIELD_RO', key, unpack(read))
end
local count = redis.call('BITFIELD_RO', current, 'GET', 'u32', 0)[1]
local counted = count
-- All bytes at once: a string that grows is given twice as many.
if count == 0 then redis.call('SETBIT', current, allBits - 1, 0) end
local before = current ~= previous and bits(previous, 0, members)
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
    if isSet(bits(current, member, member + 1), 0) then
      answered(member, true)
    elseif count < capacity then
      redis.call('BITFIELD', current, unpack(write, 4 * from + 1, 4 * (from + hashes)))
      answered(member, false)
    else
      answers[member + 1] = (before and isSet(before, member)) and '0' or '2'
    end
  end
end
if count ~= counted then redis.call('BITFIELD', current, 'SET', 'u32', 0, count) end
if counted == 0 and endsAt > 0 then redis.call('PEXPIREAT', current, endsAt + ttlMs) end
return {'ok', table.concat(answers)}
