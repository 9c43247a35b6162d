--- Begin to run a key, unless its outcome is stored or somebody else runs it.
-- @class dedupable
-- @batch 80
-- @include now
-- @include record
-- @key entry
-- @arg token text
-- @arg print text           hash of the fingerprint, or `-`
-- @arg leaseMs int
-- @arg ttlMs int
-- @arg waits bool           wake this caller when the run has ended
-- @result run fence:int attempt:int
-- @result stored kind:text payload:bytes
-- @result busy leftMs:int runner:text
-- @result mismatch
local found = redis.call('GET', entry)
local keepMs = math.max(ttlMs, leaseMs)
local last, attempt = 0, 0
if found then
  local it = read(found)
  if print ~= '-' and it.print ~= '-' and it.print ~= print then return {'mismatch'} end
  if it.state == 'v' or it.state == 'e' then return {'stored', it.state, string.sub(found, it.at)} end
  if it.token == token then
    -- A free one with this token is over: this is a copy that was delayed on its way, and nobody hears the answer.
    if it.state == 'f' then return {'busy', 0, token} end
    it.untilMs, it.leaseMs = now() + leaseMs, leaseMs
    replace(entry, it, '', keepMs)
    return {'run', it.fence, it.attempt}
  end
  local leftMs = leftOf(it)
  if leftMs > 0 then
    local latest = now() + leftMs
    if (waits and it.waited == '0') or it.untilMs > latest then
      it.untilMs = latest
      if waits then it.waited = '1' end
      replace(entry, it, '', math.max(keepMs, leftMs))
    end
    return {'busy', leftMs, it.token}
  end
  last, attempt = it.fence, it.attempt
  if print == '-' then print = it.print end
end
local it = {
  state = 'r', fence = math.max(last + 1, nowMicros()), attempt = attempt + 1, untilMs = now() + leaseMs,
  leaseMs = leaseMs, waited = '0', token = token, print = print,
}
redis.call('SET', entry, written(it, ''), 'PX', keepMs)
return {'run', it.fence, it.attempt}
