-- What is kept beside a record, for jobs that are over: how they failed, how often their worker died, what they keep out.
local function forget(jobs, meta, crashes, ids)
  redis.call('HDEL', jobs, unpack(ids))
  if redis.call('EXISTS', meta) == 1 then redis.call('HDEL', meta, unpack(ids)) end
  if redis.call('EXISTS', crashes) == 1 then redis.call('HDEL', crashes, unpack(ids)) end
end
-- A key belongs to the job that took it last: one that is over does not free another's.
local function freeUnique(unique, key, id)
  if key ~= '' and redis.call('HGET', unique, key) == id then redis.call('HDEL', unique, key) end
end
