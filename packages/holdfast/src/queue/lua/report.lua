--- What runs say of themselves: their progress, or a line of their logs. Of a run that is over nothing changes; its job is returned.
-- Of logs the last ones are kept: up to `maxLines` of them, and up to `maxBytes`. Each line has its length, a colon, the server's time
-- (13 digits, milliseconds), itself.
-- @class unsafe
-- @include now
-- @include events
-- @key active
-- @key jobs
-- @key meta
-- @arg channel text
-- @arg maxLines int
-- @arg maxBytes int
-- @arg fields... bytes  of each report: job, fence, `p` or `l`, value
-- @returns list<text>
local function withLine(lines, line)
  local stamped = string.format('%013.0f', now()) .. line
  lines = lines .. #stamped .. ':' .. stamped
  local starts, at = {}, 1
  while at <= #lines do
    starts[#starts + 1] = at
    local colon = string.find(lines, ':', at, true)
    at = colon + 1 + tonumber(string.sub(lines, at, colon - 1))
  end
  local first = math.max(#starts - maxLines + 1, 1)
  while first < #starts and #lines - starts[first] + 1 > maxBytes do first = first + 1 end
  return string.sub(lines, starts[first])
end
local stale = {}
for at = 1, #fields, 4 do
  local id, fence, kind, value = unpack(fields, at, at + 3)
  local held = redis.call('ZSCORE', active, id)
  local record = held and tonumber(held) == tonumber(fence) and redis.call('HGET', jobs, id)
  if record then
    if kind == 'l' then value = withLine(redis.call('HGET', meta, 'l' .. id) or '', value) end
    redis.call('HSET', meta, kind .. id, value)
    -- A long value is to be read where it is.
    if kind == 'p' then noteEvent(jobs, channel, 'progress', id, record, #value <= 1024 and value or '') end
  else
    stale[#stale + 1] = id
  end
end
return stale
