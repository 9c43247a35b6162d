-- The server's clock, asked at most once per call: all that one call compares and stores is of one instant.
local clockMicros
-- Microseconds since 1970. Past 2^50: format it with '%.0f', because '..' and tostring keep 14 digits only.
local function nowMicros()
  if not clockMicros then
    local clock = redis.call('TIME')
    clockMicros = clock[1] * 1000000 + clock[2]
  end
  return clockMicros
end
-- Milliseconds since 1970.
local function now()
  return math.floor(nowMicros() / 1000)
end
