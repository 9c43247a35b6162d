--- Note events that only a worker knows of.
-- @class unsafe
-- @include events
-- @key jobs
-- @arg channel text
-- @arg kind text
-- @arg fields... text   of each job: its id, the name that it was added with or empty, detail
-- @result ok
for at = 1, #fields, 3 do
  local id, name, detail = unpack(fields, at, at + 2)
  noteEvent(jobs, channel, kind, id, name ~= '' and string.rep('0', 14) .. cjson.encode({n = name}) .. '\n', detail)
end
return 'ok'
