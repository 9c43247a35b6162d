--- Free unique keys that are taken only until their jobs start.
-- @class idempotent
-- @include now
-- @include idle
-- @include forget
-- @key unique
-- @key idle
-- @arg channel text
-- @arg taken... text  of each job: its key, its id
-- @result ok
for at = 1, #taken, 2 do
  if freeUnique(unique, taken[at], taken[at + 1]) then wakeWorkers(idle, channel, 1) end
end
return 'ok'
