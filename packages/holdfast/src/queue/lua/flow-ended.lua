--- Tell jobs that others for which they wait have ended. What was told before, or to a job that is over, changes nothing.
-- @class idempotent
-- @include now
-- @include idle
-- @include options
-- @include groups
-- @include place
-- @include letters
-- @include forget
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
-- @arg fields... bytes  of each: the waiting job, policy (f: it dies with this one; i: it goes on; c: it starts at once; s: it is dropped where this one died; d: it is dropped unless one died), reference, status, outcome
-- @returns int
local released = 0
local function release(id, record)
  redis.call('HDEL', blocked, id)
  if place(jobs, {urgent, normal, low}, record, id) then released = released + 1 end
end
local function drop(id)
  redis.call('HDEL', blocked, id)
  forget(jobs, meta, {id})
end
local function die(id, record, name)
  redis.call('HDEL', blocked, id)
  redis.call('HSET', meta, 'r' .. id, 'the job that it waited for is dead: ' .. name)
  redis.call('ZADD', dead, now(), id)
  freeUnique(unique, optionsOf(record).u or '', id)
  tellParents(letters, record, 'd', '')
  redis.call('PUBLISH', channel, results .. id)
end
local function told(id, policy, ref, status, outcome)
  local children = string.sub(jobs, 1, -5) .. 'children:' .. id
  local waits = redis.call('HGET', children, ref)
  if not waits or string.sub(waits, 1, 1) ~= '?' then return end
  local name = string.sub(waits, 2)
  redis.call('HSET', children, ref, status .. name .. '\n' .. outcome)
  if redis.call('HEXISTS', blocked, id) == 0 then return end
  local record = redis.call('HGET', jobs, id)
  if not record then
    redis.call('HDEL', blocked, id)
    redis.call('DEL', children)
    return
  end
  local left = redis.call('HINCRBY', blocked, id, -1)
  if status == 'd' then
    if policy == 'f' then return die(id, record, name) end
    if policy == 'c' or policy == 'd' then return release(id, record) end
    if policy == 's' then return drop(id) end
  end
  if left > 0 then return end
  if policy == 'd' then return drop(id) end
  release(id, record)
end
for at = 1, #fields, 5 do told(unpack(fields, at, at + 4)) end
if released > 0 then wakeWorkers(idle, channel, released) end
return redis.call('HLEN', letters)
