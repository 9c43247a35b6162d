--- Acknowledge one job and carry out its handler's own writes, in one step.
-- It checks before it writes: `stale`, the claim is over; `refused`, the command at this place (counted from 1) cannot be carried out, because its
-- key holds something else (`holds`), or because the server said so (`said`) when nothing was written yet. Then nothing changes.
-- A later command that the server refuses all the same has its error as its reply, and the others are carried out.
-- A repetition of the call (`operation` is known) is answered like the first time. Replies: `:` integer, `+` status, `$` bytes, `_` nothing, `-` error.
-- @class dedupable
-- @include now
-- @include idle
-- @include options
-- @include events
-- @include groups
-- @include runs
-- @include forget
-- @include letters
-- @key operation
-- @key active
-- @key jobs
-- @key meta
-- @key unique
-- @key letters
-- @key idle
-- @key result
-- @keys written...
-- @arg operationTtlMs int
-- @arg id text
-- @arg fence int
-- @arg uniqueKey text  or empty
-- @arg outcome bytes   kept for those who wait for it; or empty
-- @arg told bytes      for jobs that wait for it; or empty
-- @arg keepMs int
-- @arg channel text
-- @arg words... bytes  of each command: how many words it has, what its key must hold (see `holds`), its words
-- @result ok replies:list<bytes>
-- @result stale
-- @result refused place:int reason:text
if redis.call('EXISTS', operation) == 1 then return {'ok', redis.call('LRANGE', operation, 1, -1)} end
local held = redis.call('ZSCORE', active, id)
if not held or tonumber(held) ~= fence then return 'stale' end
local TYPES = {s = 'string', i = 'string', f = 'string', h = 'hash', H = 'hash', F = 'hash', l = 'list', S = 'set', z = 'zset', x = 'stream'}
-- What a key holds instead of what the command wants; nil where it is right, or where there is no key yet.
local function holds(wanted, command)
  local kind = TYPES[wanted]
  if not kind then return nil end
  local found = redis.call('TYPE', command[2]).ok
  if found == 'none' then return nil end
  if found ~= kind then return 'a ' .. found end
  local value = '0'
  if wanted == 'i' or wanted == 'f' then value = redis.call('GET', command[2]) end
  if wanted == 'H' or wanted == 'F' then value = redis.call('HGET', command[2], command[3]) or '0' end
  if (wanted == 'i' or wanted == 'H') and not string.find(value, '^-?%d+$') then return 'no integer' end
  if (wanted == 'f' or wanted == 'F') and not tonumber(value) then return 'no number' end
end
local commands, at = {}, 1
while at <= #words do
  local count, wanted = tonumber(words[at]), words[at + 1]
  local command = {unpack(words, at + 2, at + 1 + count)}
  commands[#commands + 1] = command
  local wrong = holds(wanted, command)
  if wrong then return {'refused', #commands, 'holds ' .. wrong} end
  at = at + 2 + count
end
-- The first write: where the server takes none, because it is full or a replica, it ends here.
redis.call('RPUSH', operation, '')
redis.call('PEXPIRE', operation, operationTtlMs)
local hasWritten = false
for place, command in ipairs(commands) do
  local reply = redis.pcall(unpack(command))
  local kind = type(reply)
  local text
  if kind == 'number' then text = string.format(':%.0f', reply)
  elseif kind == 'string' then text = '$' .. reply
  elseif kind == 'table' and reply.ok then text = '+' .. reply.ok
  elseif kind == 'table' and reply.err then
    if not hasWritten then
      redis.call('DEL', operation)
      return {'refused', place, 'said ' .. reply.err}
    end
    text = '-' .. reply.err
  else text = '_' end
  if string.sub(text, 1, 1) ~= '-' then hasWritten = true end
  redis.call('RPUSH', operation, text)
end
local record = redis.call('HGET', jobs, id)
redis.call('ZREM', active, id)
if record then tellParents(letters, record, 'o', told) end
forget(jobs, meta, {id})
freeUnique(unique, uniqueKey, id)
if outcome ~= '' then
  redis.call('SET', result, outcome, 'PX', keepMs)
  redis.call('PUBLISH', channel, result)
end
if record then noteEvent(jobs, channel, 'completed', id, record) end
-- Its group may run another one.
wakeWorkers(idle, channel, endRuns(jobs, {id}))
return {'ok', redis.call('LRANGE', operation, 1, -1)}
