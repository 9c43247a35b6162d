--- The workers whose leases are good, and what each of them runs, the longest first.
-- @class read
-- @include now
-- @key workers
-- @arg most int      workers
-- @arg mostJobs int  of each of them
-- @returns rows<worker:text,leaseMs:int,running:int,jobs:list<text>>
local head, rows = string.sub(workers, 1, -8), {}
local alive = redis.call('ZRANGE', workers, '(' .. now(), '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
for at = 1, #alive, 2 do
  local active, row = head .. 'active:' .. alive[at], #rows
  rows[row + 1], rows[row + 2] = alive[at], string.format('%.0f', tonumber(alive[at + 1]) - now())
  rows[row + 3], rows[row + 4] = redis.call('ZCARD', active), redis.call('ZRANGE', active, 0, mostJobs - 1, 'WITHSCORES')
end
return rows
