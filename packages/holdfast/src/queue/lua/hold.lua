--- A job that is held by a claim, for one who has only its token; and, where `leaseMs` is not 0, the lease of its holder lasts so long from now, or
-- for longer where it does so already. `leftMs` is what is left of the lease, `tookMs` how long the job is held by now; `cancelled` is the outcome of one that
-- is cancelled, or empty. The record and what is kept beside it are empty where it is extended.
-- @class idempotent
-- @include now
-- @key active
-- @key jobs
-- @key meta
-- @key workers
-- @arg worker text
-- @arg id text
-- @arg fence int
-- @arg leaseMs int
-- @result stale
-- @result ok leftMs:int tookMs:int cancelled:bytes record:bytes failures:bytes crashed:int
local held = redis.call('ZSCORE', active, id)
if not held or tonumber(held) ~= fence then return 'stale' end
local mark = redis.call('HGET', meta, 'x' .. id)
local cancelled = mark and string.sub(mark, string.find(mark, ':', 1, true) + 1) or ''
local tookMs = string.format('%.0f', math.max((nowMicros() - fence) / 1000, 0))
if leaseMs > 0 then
  redis.call('ZADD', workers, 'GT', now() + leaseMs, worker)
  return {'ok', leaseMs, tookMs, cancelled, '', '', 0}
end
local leftMs = math.max(tonumber(redis.call('ZSCORE', workers, worker) or 0) - now(), 0)
local record = redis.call('HGET', jobs, id)
if not record then return 'stale' end
local known = redis.call('HMGET', meta, 'f' .. id, 'c' .. id)
return {'ok', string.format('%.0f', leftMs), tookMs, cancelled, record, known[1] or '', tonumber(known[2] or 0)}
