-- What a job was added with, beside its payload: the text between the record's head and its first line break.
local function optionsOf(record)
  local ends = string.find(record, '\n', 15, true)
  if not ends or ends == 15 then return {} end
  return cjson.decode(string.sub(record, 15, ends - 1))
end
-- Whether a job waits for a worker that knows its name: such jobs are in `unhandled:<name>`, and their numbers in `unhandled`.
local function isUnhandled(head, id, record)
  if redis.call('EXISTS', head .. 'unhandled') == 0 then return false end
  return redis.call('ZSCORE', head .. 'unhandled:' .. (optionsOf(record).n or ''), id)
end
