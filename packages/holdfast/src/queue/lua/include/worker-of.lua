-- The worker that runs a job, and its fence. Linear in the workers; a job is in no other place that tells.
local workersNow
local function workerOf(id, workers, jobs)
  local head = string.sub(jobs, 1, -5) .. 'active:'
  workersNow = workersNow or redis.call('ZRANGE', workers, 0, -1)
  for _, worker in ipairs(workersNow) do
    local fence = redis.call('ZSCORE', head .. worker, id)
    if fence then return worker, fence end
  end
end
