--- Reads cells of the map: the members of each, or how many there are where that is more than was asked for.
-- Of each cell `read` has: how many members follow, how many were looked at, and member, score (and fields) of each; or -1 and how many there are.
-- A read although it removes what is over: doing so twice harms nothing.
-- @class read
-- @include now
-- @include live
-- @key places
-- @key ends
-- @key fields
-- @arg withFields bool
-- @arg cells... text    of each: its first score, '(' and the score after it, how many to skip, which all have that score, how many at most;
--                        below 0: the first ones of however many there are, or with 'back' the last ones
-- @result found total:int read:list<text>
-- @result again
local MAX_MEMBERS = 1000
if not sweep(places, ends, fields) then return {'again'} end
if isBroken then return {'found', 0, {}} end
local left, flat, size = MAX_MEMBERS, {}, 0
for at = 1, #cells, 4 do
  local first, last, most = cells[at], cells[at + 1], tonumber(cells[at + 3])
  local isPart = most < 0
  local wanted = isPart and -most or math.min(most, left)
  local rows = {}
  if wanted > 0 then
    local page = isPart and wanted or wanted + 1
    if cells[at + 2] == 'back' then
      rows = redis.call('ZRANGE', places, last, first, 'BYSCORE', 'REV', 'LIMIT', 0, page, 'WITHSCORES')
    elseif cells[at + 2] == '0' then
      rows = redis.call('ZRANGE', places, first, last, 'BYSCORE', 'LIMIT', 0, page, 'WITHSCORES')
    else
      -- By rank, as LIMIT walks over all that it skips. All have the first score; what follows has another.
      local from = redis.call('ZCOUNT', places, '-inf', '(' .. first) + cells[at + 2]
      rows = redis.call('ZRANGE', places, from, from + page - 1, 'WITHSCORES')
      while #rows > 0 and tonumber(rows[#rows]) ~= tonumber(first) do
        table.remove(rows)
        table.remove(rows)
      end
    end
  end
  local seen = #rows / 2
  if wanted == 0 or seen > wanted and not isPart then
    flat[size + 1], flat[size + 2] = '-1', tostring(redis.call('ZCOUNT', places, first, last))
    size = size + 2
  else
    left = left - seen
    local head, count, members, over, about = size, 0, {}
    if seen > 0 and (withFields or isStale) then
      for i = 1, seen do members[i] = rows[i * 2 - 1] end
      if withFields then about = redis.call('HMGET', fields, unpack(members)) end
      if isStale then over = redis.call('ZMSCORE', ends, unpack(members)) end
    end
    size = head + 2
    for i = 1, seen do
      if not over or over[i] and tonumber(over[i]) > now() then
        flat[size + 1], flat[size + 2] = rows[i * 2 - 1], rows[i * 2]
        size, count = size + 2, count + 1
        if about then
          size = size + 1
          flat[size] = about[i] or ''
        end
      end
    end
    flat[head + 1], flat[head + 2] = tostring(count), tostring(seen)
  end
end
return {'found', redis.call('ZCARD', places), flat}
