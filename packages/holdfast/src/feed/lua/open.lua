--- Begins an inbox, so that entries are pushed to it from now on, and returns its mark: the last member, at +inf.
-- @class idempotent
-- @key inbox  sorted set: activity ids by time (us), and the mark: `!b<token>` while it is filled, then `!<time>`: all later entries are here
-- @arg token text
-- @arg activeMs int
-- @returns text
local last = redis.call('ZRANGE', inbox, -1, -1)[1]
if not last or string.sub(last, 1, 1) ~= '!' then
  last = '!b' .. token
  redis.call('ZADD', inbox, '+inf', last)
end
redis.call('PEXPIRE', inbox, activeMs)
return last
