-- Why a server takes no writes for the moment though it answers reads.
local REFUSALS = { OOM = true, MISCONF = true, NOREPLICAS = true }

-- Whether the server took the write, and if not, its words. A mistake is raised all the same.
-- Memory: after its first write a script may write on when memory is full, so one that needs none goes in front.
local function taken(...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then return true end
  if REFUSALS[string.match(reply.err, '^-?(%u+)')] then return false, reply.err end
  redis.call(...)
end
