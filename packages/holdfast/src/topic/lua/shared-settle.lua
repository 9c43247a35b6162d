--- Acknowledges, puts back and extends claimed messages, those of a tick and partition together.
-- @class idempotent
-- @include now
-- @include shared
-- @key meta       of the log
-- @key log
-- @key state
-- @key records    of the dead letters
-- @key redriven
-- @arg generation int
-- @arg dueAt int        when the first of `acks` is due, as far as the consumer knows
-- @arg acks int         so many members at the beginning of `rest` are acknowledged by their claims of then
-- @arg again bool      it is sent again: an ack that finds nothing was executed before
-- @arg newest int       the newest message among them, when it was appended (0: it is not looked at), and the epoch of its log
-- @arg newestAt int
-- @arg epoch int
-- @arg wakeChannel text
-- @arg wake text        who is to look for what is put back; empty: nobody
-- @arg rest... text     the acks; then member, tag, verb, ms of each other one. Verbs: `ack`; `due` (to be claimed in `ms`), `release` (the same,
--                       and this delivery does not count), `extend` (not to be claimed for `ms`)
-- @result ok stale:list<text>
-- @result fenced
-- @result lost
-- @result doubtful
-- `lost`: the newest is not the one that was read; which others are is not known, and nothing was done.
-- `stale`: members of the others that are no longer claimed as their tags say. `fenced`: none is. `doubtful`: one of `acks` may be: nothing was done; they are to
-- be sent with their tags.
local WIDTH = 4
local s = loadState(state)
if not s or s.g ~= generation then return {'fenced'} end
if newestAt > 0 then
  local head, epochNow, _, headAt = logHead(meta, log)
  if epochNow ~= epoch or not isThere(log, head, headAt, newest, newestAt) then return {'lost'} end
end
-- Was none claimed again that was due as late as they are, they are still claimed as they were.
if acks > 0 and dueAt <= s.m then return {'doubtful'} end
for at = 1, acks, CHUNK do redis.call('ZREM', state, unpack(rest, at, math.min(at + CHUNK - 1, acks))) end
if #rest == acks then return {'ok', {}} end

-- A write that needs no memory: those after it pass when memory is full, so that what runs is kept.
redis.call('ZREM', state, '')
local stale, members, add, remove, done = {}, {}, {}, {}, {}
for at = acks + 1, #rest, WIDTH do members[#members + 1] = rest[at] end
local t = now()
local scores = {}
for at = 1, #members, CHUNK do
  for _, score in ipairs(redis.call('ZMSCORE', state, unpack(members, at, math.min(at + CHUNK - 1, #members)))) do
    scores[#scores + 1] = score
  end
end
for index, member in ipairs(members) do
  local at = acks + (index - 1) * WIDTH + 1
  local tag, verb, ms = tonumber(rest[at + 1]), rest[at + 2], tonumber(rest[at + 3])
  if not scores[index] or scores[index] % TAGS ~= tag then
    if scores[index] or verb ~= 'ack' or not again then stale[#stale + 1] = member end
  elseif verb == 'ack' then
    remove[#remove + 1] = member
    done[member] = true
    local letter = string.match(member, '^c(.+)$')
    if letter then
      redis.call('HDEL', records, letter)
      redis.call('ZREM', redriven, letter)
    end
  else
    if verb == 'release' then tag = releasedTag(tag) end
    local due = t + ms
    -- Never sooner than it was, where the clock was set back: acknowledgements count on it.
    if verb == 'extend' then due = math.max(due, math.floor(scores[index] / TAGS)) end
    add[#add + 1] = whole(due * TAGS + tag)
    add[#add + 1] = member
  end
end
-- What is acknowledged beside its extension is done.
if #remove > 0 then
  local kept = {}
  for at = 1, #add, 2 do
    if not done[add[at + 1]] then kept[#kept + 1], kept[#kept + 2] = add[at], add[at + 1] end
  end
  add = kept
end
for at = 1, #remove, CHUNK do redis.call('ZREM', state, unpack(remove, at, math.min(at + CHUNK - 1, #remove))) end
for at = 1, #add, CHUNK do redis.call('ZADD', state, unpack(add, at, math.min(at + CHUNK - 1, #add))) end
if wake ~= '' and #add > 0 then redis.call('PUBLISH', wakeChannel, wake) end
return {'ok', stale}
