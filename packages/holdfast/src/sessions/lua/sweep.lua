--- Take away what is left of sessions that are out of their index.
-- @class idempotent
-- @include now
-- @include taken
-- @include life
-- @keys sessions...
-- @returns int
for _, session in ipairs(sessions) do bury(session) end
return #sessions
