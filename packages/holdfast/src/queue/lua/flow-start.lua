--- Add a job that waits for others, and write down the others: they are added from this plan, whatever happens to its writer.
-- @class dedupable
-- @include now
-- @include events
-- @include pending
-- @include block
-- @key operation
-- @key jobs
-- @key meta
-- @key blocked
-- @key letters
-- @key plan
-- @key staged          those that it waits for, of a plan that was written down before
-- @arg operationTtlMs int
-- @arg channel text
-- @arg id text
-- @arg lane text
-- @arg record bytes    without the time
-- @arg waits json      references and names of those it waits for, alternating
-- @arg letter text     by which the plan is found again
-- @arg written int     how many jobs of the plan were written down before; 0: none, it comes with this call
-- @arg links int       and how many it waits for
-- @arg nodes... bytes  the plan
-- @result ok
-- @result duplicate
-- @result lost
if redis.call('EXISTS', operation) == 1 then return 'ok' end
if redis.call('HEXISTS', jobs, id) == 1 then return 'duplicate' end
if written > 0 and (redis.call('LLEN', plan) ~= written or redis.call('HLEN', staged) ~= links) then return 'lost' end
redis.call('SET', operation, '1', 'PX', operationTtlMs)
redis.call('HSET', jobs, id, string.format('%013.0f', now()) .. lane .. record)
block(jobs, meta, blocked, id, waits, false, written > 0 and staged, links)
noteEvent(jobs, channel, 'added', id, string.rep('0', 13) .. lane .. record)
for at = 1, #nodes, 500 do redis.call('RPUSH', plan, unpack(nodes, at, math.min(at + 499, #nodes))) end
redis.call('PERSIST', plan)
redis.call('HSET', letters, letter, now())
return 'ok'
