-- The worker that runs a job, and its fence. Linear in the workers; a job is in no other place that tells.
local function workerOf(id, workers, jobs)
  local head = string.sub(jobs, 1, -5) .. 'active:'
  for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
    local fence = redis.call('ZSCORE', head .. worker, id)
    if fence then return worker, fence end
  end
end
