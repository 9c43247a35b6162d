-- What is known of one key, as a text: `<state><fence> <attempt> <until> <lease> <waited> <token> <print>`, a line feed, the payload.
-- States: r runs, until `until` (ms) unless it is renewed; f free, the last run failed; v a value is stored; e an error is.
-- `waited`: somebody waits for the run with this token. `print` is a hash of the call's fingerprint, or `-`.
local function read(text)
  local state, fence, attempt, untilMs, leaseMs, waited, token, print, at =
    string.match(text, '^([rfve])(%d+) (%d+) (%d+) (%d+) ([01]) (%S+) (%S+)\n()')
  if not state then error({err = 'WRONGTYPE the key holds no record of an idempotency'}) end
  return {
    state = state, fence = tonumber(fence), attempt = tonumber(attempt), untilMs = tonumber(untilMs),
    leaseMs = tonumber(leaseMs), waited = waited, token = token, print = print, at = at,
  }
end

local function written(it, payload)
  return string.format('%s%.0f %.0f %.0f %.0f %s %s %s\n', it.state, it.fence, it.attempt, it.untilMs, it.leaseMs,
    it.waited, it.token, it.print) .. payload
end

-- The first write takes no memory, so the server lets the second pass although its memory is full.
local function replace(entry, it, payload, keepMs)
  redis.call('PEXPIRE', entry, keepMs)
  redis.call('SET', entry, written(it, payload), 'PX', keepMs)
end

-- Milliseconds until the run's lease is over; no more than it was granted, also where the server's clock was set back.
local function leftOf(it)
  if it.state ~= 'r' then return 0 end
  return math.max(math.min(it.untilMs - now(), it.leaseMs), 0)
end
