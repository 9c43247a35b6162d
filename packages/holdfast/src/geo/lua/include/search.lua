-- `anchor` is the member at the centre, or '' for the coordinates. It is not among its own matches. Needs the include `live`.
local function search(places, ends, anchor, lon, lat, limit, shape)
  local center = anchor == '' and {'FROMLONLAT', lon, lat} or {'FROMMEMBER', anchor}
  local query = {places, unpack(center)}
  for _, word in ipairs(shape) do query[#query + 1] = word end
  local wanted = stale + (anchor == '' and limit or limit + 1)
  for _, word in ipairs({'m', 'ASC', 'COUNT', wanted, 'WITHCOORD', 'WITHDIST'}) do query[#query + 1] = word end
  local rows, count = {}, 0
  for _, found in ipairs(redis.call('GEOSEARCH', unpack(query))) do
    if found[1] ~= anchor and count < limit and (stale == 0 or isLive(places, ends, found[1])) then
      local at = count * 4
      rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4] = found[1], found[2], found[3][1], found[3][2]
      count = count + 1
    end
  end
  return rows, count
end
