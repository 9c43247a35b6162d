-- A record is a hash: `version`, `ops` (who made the last versions), `times` and its values as `d:<field>`.
-- `ops` has the ids of the last writes, the newest first: the first of them made `version`, the next the one before it.
-- By it a write that is sent again, because its answer was lost, is recognised. Needs the include `now`.
-- `times` has the milliseconds at which the last two versions were made that are divisible by half of MAX_OPS: each write
-- since the earlier one is remembered.

-- Eight characters and a comma.
local OP_LENGTH = 9
local MAX_OPS = 16
-- Between the clocks of a server and of the one that takes its place.
local SKEW_MS = 1000

-- Nil where there is no record.
local function stateOf(record)
  local stored = redis.call('HMGET', record, 'version', 'ops', 'times')
  return stored[1] and { version = tonumber(stored[1]), ops = stored[2] or '', times = stored[3] or '' } or nil
end

-- The version that the write `opId` made, if it is one of the last.
local function madeBy(state, opId)
  local at = string.find(state.ops, opId .. ',', 1, true)
  return at and state.version - (at - 1) / OP_LENGTH
end

-- Whether the write that made the version after `expected` is among those that are remembered, on the way to the present
-- version. A write that expected that version and is not among them was then never executed.
local function remembers(state, expected)
  local since = state.version - expected
  return since > 0 and since * OP_LENGTH <= #state.ops
end

-- Whether a write that was first sent at most `againMs` ago may have been executed and forgotten.
local function mayForget(state, againMs)
  if #state.ops < OP_LENGTH * MAX_OPS then return false end
  local since = tonumber(string.match(state.times, '^(%d+),'))
  return not since or since >= now() - againMs - SKEW_MS
end

-- What HSET takes. `layout` alternates names and lengths; the values are in `payload`, one after the other.
local function fieldsOf(layout, payload)
  local fields, at = {}, 1
  for i = 1, #layout, 2 do
    local after = at + layout[i + 1]
    fields[i], fields[i + 1] = 'd:' .. layout[i], string.sub(payload, at, after - 1)
    at = after
  end
  return fields
end

-- The first version is the time in microseconds: above all versions that a deleted record of this name ever had.
local function commit(record, state, opId, ttlMs, fields)
  local version = state and state.version + 1 or nowMicros()
  local ops = string.sub(opId .. ',' .. (state and state.ops or ''), 1, OP_LENGTH * MAX_OPS)
  local times = state and state.times or ''
  if version % (MAX_OPS / 2) == 0 then times = string.match(times, '%d*$') .. ',' .. now() end
  redis.call('HSET', record, 'version', version, 'ops', ops, 'times', times, unpack(fields))
  redis.call('PEXPIRE', record, ttlMs)
  return version
end
