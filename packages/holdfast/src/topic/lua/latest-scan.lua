--- The newest messages of keys in the order of their offsets: those above `after`, up to `upTo`, as many as fit.
-- `reset`: they do not continue what a reader has that is at `after`.
-- @class idempotent
-- @include now
-- @include log
-- @include latest
-- @key log
-- @key meta
-- @key latest
-- @key places
-- @key deleted
-- @arg after int
-- @arg afterAt int      when that message was appended; 0: not to be compared
-- @arg upTo int         -1: the last
-- @arg tombstones bool  with those; a reader that has seen nothing needs none
-- @arg epoch int        of the log; 0: any
-- @arg began int        of the newest messages; 0: any
-- @arg limit int        rows
-- @arg bytes int        of them; one row at least
-- @result ok epoch:int began:int top:int at:int reached:int rows:list<bytes>
-- @result reset
local state = latestState(log, meta, latest, places, deleted, '')
local epochNow = state.isNew and 0 or state.epoch
if epoch > 0 and epochNow ~= epoch or began > 0 and state.began ~= began or after > state.head then return 'reset' end
if tombstones and after < state.purged then return 'reset' end
-- When the message at an offset was appended; 0 where the log has lost it. Asked in rising order, each pack is read once.
local first, last, at = 0, 0, '0'
local function timeAt(offset)
  if offset > last then
    local entry = offset >= state.first and redis.call('XRANGE', log, string.format('%.0f', offset), '+', 'COUNT', 1)[1]
    if not entry then return '0' end
    first, last = offsetsOf(entry)
    at = entry[2][2]
  end
  return offset >= first and at or '0'
end
if afterAt > 0 then
  local time = tonumber(timeAt(after))
  if time > 0 and time ~= afterAt then return 'reset' end
  -- All of it was lost, and begun again, since.
  if state.began > afterAt then return 'reset' end
end

local top = upTo < 0 and state.head or upTo
local above = string.format('(%.0f', after)
local function rowsOf(key)
  return redis.call('ZRANGEBYSCORE', key, above, top, 'WITHSCORES', 'LIMIT', 0, limit)
end
local set, gone = rowsOf(places), tombstones and rowsOf(deleted) or {}
local rows, size, reached, nextSet, nextGone = {}, 0, after, 1, 1
while #rows < limit and size < bytes do
  local setAt, goneAt = tonumber(set[nextSet + 1]), tonumber(gone[nextGone + 1])
  if not setAt and not goneAt then
    reached = top
    break
  end
  if not goneAt or setAt and setAt < goneAt then
    rows[#rows + 1] = redis.call('HGET', latest, set[nextSet])
    reached, nextSet = setAt, nextSet + 2
  else
    rows[#rows + 1] = string.format('%.0f %s\n', goneAt, timeAt(goneAt)) .. gone[nextGone]
    reached, nextGone = goneAt, nextGone + 2
  end
  size = size + #rows[#rows]
end
if not set[nextSet] and not gone[nextGone] and #set < 2 * limit and #gone < 2 * limit then reached = top end
return {'ok', epochNow, state.began, top, state.at, reached, rows}
