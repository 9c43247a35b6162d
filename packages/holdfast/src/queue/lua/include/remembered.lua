-- What is kept beside the records of these jobs: how their runs failed, and how often their workers died.
local function remembered(meta, ids)
  if #ids == 0 or redis.call('EXISTS', meta) == 0 then return {}, {} end
  local fields = {}
  for at, id in ipairs(ids) do
    fields[at] = 'f' .. id
    fields[#ids + at] = 'c' .. id
  end
  local failures, crashed = redis.call('HMGET', meta, unpack(fields)), {}
  for at = 1, #ids do
    crashed[at] = failures[#ids + at]
    failures[#ids + at] = nil
  end
  return failures, crashed
end
