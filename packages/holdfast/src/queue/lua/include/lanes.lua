-- Where jobs wait: a list for each priority, the most urgent one first. A job's record begins with the server's time at
-- which it was added (13 digits, milliseconds) and its lane (one digit).
local function laneOf(record, lanes)
  return lanes[tonumber(string.sub(record, 14, 14))]
end
