--- The end of a log, and its packs from `from` on: as many as fit in `bytes`, and 16 at least, where there are so many.
-- Sizes are known only once packs are read, so they are read 16 at a time.
-- @class read
-- @key log
-- @key meta
-- @arg from int
-- @arg count int
-- @arg bytes int
-- @result ok tail:list<text?> rows:rows<id:text,at:text,count:text,bytes:bytes>
local AT_ONCE = 16
local tail = redis.call('HMGET', meta, 'epoch', 'head', 'at', 'first')
local rows, size, seen, after = {}, 0, 0, string.format('%.0f', from)
while seen < count and size < bytes do
  local entries = redis.call('XRANGE', log, after, '+', 'COUNT', math.min(AT_ONCE, count - seen))
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    -- Others are of somebody else.
    if #fields == 6 then
      local at = #rows
      rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4] = entry[1], fields[2], fields[4], fields[6]
      size = size + #fields[6]
    end
  end
  seen = seen + #entries
  if #entries < AT_ONCE then break end
  after = '(' .. entries[#entries][1]
end
return {'ok', tail, rows}
