--- Puts a hold on the list of those that are held, for `keepMs`, or takes it off (0).
-- @class idempotent
-- @include now
-- @include id-index
-- @key ids
-- @key ends
-- @arg member text
-- @arg keepMs int
-- @result ok
if keepMs > 0 then index('', ids, ends, member, keepMs) else unindex('', ids, ends, member) end
return 'ok'
