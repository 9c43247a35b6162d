-- What a write of scores does on each board that it is for; needs the includes `now` and `board`.

-- The boards to write to: the board itself, and that of the present period of each window. Nil where the server's time is not among those that
-- `windows` is for: `<from> <to>;`, then for each pair of `periods` its `<from> <to> <expiresAt>;`.
local function boardsOf(board, distinct, meta, dense, windows, periods)
  local all = {}
  if windows ~= '' then
    local first, last, rest = string.match(windows, '^(%d+) (%d+);(.*)$')
    if now() < tonumber(first) or now() >= tonumber(last) then return nil end
    local at = 1
    for from, to, expiresAt in string.gmatch(rest, '(%d+) (%d+) (%d+);') do
      if now() >= tonumber(from) and now() < tonumber(to) then
        local b = open(periods[at], periods[at + 1], nil, dense)
        b.expiresAt, b.isNew = expiresAt, redis.call('EXISTS', b.board) == 0
        all[#all + 1] = b
      end
      at = at + 2
    end
  end
  table.insert(all, 1, open(board, distinct, meta, dense))
  return all
end

-- What is below the whole units of a score: its subscore.
local function subscoreOf(score, unit)
  local rest = math.fmod(score, unit)
  return rest < 0 and rest + unit or rest
end

local function sumOf(score, by, unit, subscore)
  local value = tonumber(score) or 0
  if subscore then value = value - subscoreOf(value, unit) + subscore end
  local sum = value + by
  return math.abs(sum) <= MAX_SCORE and sum
end

-- The sum on the first board as text, or false when one would be beyond MAX_SCORE: then nothing is changed.
local function add(all, member, by, unit, subscore)
  if #all == 1 then
    local score = redis.call('ZSCORE', all[1].board, member)
    local sum = sumOf(score, by, unit, subscore)
    return sum and put(all[1], member, sum, score)
  end
  local sums, before, texts = {}, {}, {}
  for at, b in ipairs(all) do
    before[at] = redis.call('ZSCORE', b.board, member)
    sums[at] = sumOf(before[at], by, unit, subscore)
    if not sums[at] then return false end
  end
  for at, b in ipairs(all) do texts[at] = put(b, member, sums[at], before[at]) end
  return texts[1]
end

local function describe(b, member, bytes)
  if redis.call('ZSCORE', b.board, member) then
    redis.call('HSET', b.meta, member, bytes)
    b.described = true
  end
end

local function expire(b, ttlMs, renew)
  if b.expiresAt then
    if b.isNew then redis.call('PEXPIREAT', b.board, b.expiresAt) end
    if b.indexed then redis.call('PEXPIREAT', b.distinct, b.expiresAt) end
    return
  end
  if ttlMs == 0 then return end
  if renew then redis.call('PEXPIRE', b.board, ttlMs) else redis.call('PEXPIRE', b.board, ttlMs, 'NX') end
  local at = (b.indexed or b.described) and redis.call('PEXPIRETIME', b.board) or 0
  if at > 0 and b.indexed then redis.call('PEXPIREAT', b.distinct, at) end
  if at > 0 and b.described then redis.call('PEXPIREAT', b.meta, at) end
end

-- The last step of each write: whether members fell off the first board, and whether a period was begun. `described`: members and what is stored with them.
local function settle(all, maxSize, desc, ttlMs, renew, described)
  local isTrimmed, isOpened = false, false
  for at, b in ipairs(all) do
    local trimmed = trim(b, maxSize, desc, MAX_TRIMMED)
    if at == 1 then
      isTrimmed = trimmed > 0
      for place = 1, #described, 2 do describe(b, described[place], described[place + 1]) end
    end
    isOpened = isOpened or b.isNew or false
    expire(b, ttlMs, renew)
  end
  return isTrimmed, isOpened
end
