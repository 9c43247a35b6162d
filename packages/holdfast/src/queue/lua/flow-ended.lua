--- Tell jobs that others for which they wait have ended. What was told before, or to a job that is over, changes nothing.
-- @class idempotent
-- @include now
-- @include idle
-- @include options
-- @include events
-- @include deaths
-- @include groups
-- @include place
-- @include letters
-- @include forget
-- @include give-up
-- @include die
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key idle
-- @key dead
-- @key unique
-- @key blocked
-- @key letters
-- @arg channel text
-- @arg results text     what the keys of outcomes begin with
-- @arg closedMs int     for how long the name of a batch that is closed stays taken
-- @arg fields... bytes  of each: the waiting job, policy (f: it dies with this one; i: it goes on; c: it starts at once; s: it is dropped where this one died; d: it is dropped unless one died), reference, status, outcome
-- @returns int
-- Before what needs memory: news frees more than it takes, and so it is told also when memory is full.
redis.call('HDEL', blocked, '')
local function unblock(id)
  redis.call('HDEL', blocked, id)
  redis.call('ZREM', blocked .. 'At', id)
end
local released, keys = 0, {jobs = jobs, meta = meta, dead = dead, unique = unique, letters = letters}
local function release(id, record, inFront)
  unblock(id)
  if place(jobs, {urgent, normal, low}, record, id, inFront) then released = released + 1 end
end
local function drop(id, record)
  unblock(id)
  forget(jobs, meta, {id})
  noteEvent(jobs, channel, 'removed', id, record)
end
local function die(id, record, name, outcome)
  unblock(id)
  if dieWith(keys, channel, results, id, record, name, outcome) then release(id, record, true) end
end
-- One that was dead was redriven and went well: so it did for those that have not gone on without it.
local function mend(children, id, ref, waits, isWaiting, outcome)
  if not isWaiting and not redis.call('ZSCORE', dead, id) then return end
  redis.call('HSET', children, ref, 'o' .. string.match(waits, '^.([^\n]*)') .. '\n' .. outcome)
end
local function markOf(policy, status, isWaiting)
  if status ~= 'd' then return status end
  if policy == 'c' then return isWaiting and 'C' or 'c' end
  return policy == 'f' and not isWaiting and 'f' or 'd'
end
local function told(id, policy, ref, status, outcome)
  local children = string.sub(jobs, 1, -5) .. 'children:' .. id
  if ref == 'open' then
    redis.call('PEXPIRE', string.sub(jobs, 1, -5) .. 'batch:' .. string.match(id, '^(.*)/'), closedMs)
  end
  local waits = redis.call('HGET', children, ref)
  if not waits then return end
  local known, isWaiting = string.sub(waits, 1, 1), redis.call('HEXISTS', blocked, id) == 1
  if known ~= '?' then
    if status == 'o' and known ~= 'o' then mend(children, id, ref, waits, isWaiting, outcome) end
    return
  end
  local name = string.sub(waits, 2)
  local mark = markOf(policy, status, isWaiting)
  redis.call('HSET', children, ref, mark .. name .. '\n' .. outcome)
  redis.call('HINCRBY', meta, 'k' .. id, -1)
  if mark == 'f' then redis.call('HSET', meta, 'e' .. id, ref) end
  if mark == 'c' then redis.call('HSETNX', meta, 'e' .. id, ref) end
  if not isWaiting then return end
  local record = redis.call('HGET', jobs, id)
  if not record then
    unblock(id)
    redis.call('UNLINK', children)
    return
  end
  local left = redis.call('HINCRBY', blocked, id, -1)
  if status == 'd' then
    if policy == 'f' then return die(id, record, name, outcome) end
    if policy == 'c' or policy == 'd' then return release(id, record) end
    if policy == 's' then return drop(id, record) end
  end
  if left > 0 then return end
  if policy == 'd' then return drop(id, record) end
  release(id, record)
end
for at = 1, #fields, 5 do told(unpack(fields, at, at + 4)) end
if released > 0 then wakeWorkers(idle, channel, released) end
return redis.call('HLEN', letters)
