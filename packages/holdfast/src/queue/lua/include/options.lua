-- What a job was added with, beside its payload: the text between the record's head and its first line break.
local function optionsOf(record)
  local ends = string.find(record, '\n', 15, true)
  if not ends or ends == 15 then return {} end
  return cjson.decode(string.sub(record, 15, ends - 1))
end
