-- A job that ends tells those that wait for it. They may be in other slots, so what is to be told is written down here, in the
-- step that ends the job, and is delivered by a worker. Status: `o` it went well, `d` it did not. Needs the includes `now`, `options`.
-- The outcome of one that was cancelled; no value is stored as that.
local CANCELLED = 'x'
local function tellParents(letters, record, status, outcome)
  for _, parent in ipairs(optionsOf(record).p or {}) do
    local queue, partition, id, policy, ref = unpack(parent)
    redis.call('HSET', letters, cjson.encode({'ended', now(), queue, partition, id, policy, ref, status}), outcome)
  end
end
