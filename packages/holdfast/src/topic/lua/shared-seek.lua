--- Lets a subscription go on from another place. What is claimed is claimed no more.
-- @class idempotent
-- @include now
-- @include shared
-- @key meta       of the log
-- @key log
-- @key state
-- @key cursors
-- @key redriven
-- @arg subscription text
-- @arg before int          the offset before the next one; -1: the last one
-- @arg expiresMs int       as in a claim; below 0: as long as before
-- @arg wakeChannel text
-- @arg wake text
-- @returns int
-- Returns the new generation.
local head, epoch = logHead(meta, log)
local s = loadState(state)
local frontier = before < 0 and head or math.min(before, head)
local leftMs = expiresMs < 0 and math.max(redis.call('PTTL', state), 0) or expiresMs
local generation = math.max(s and s.g + 1 or 0, now())
makeState(state, redriven, { e = epoch, f = frontier, g = generation, m = 0, t = now() })
passTo(cursors, subscription, frontier, now(), leftMs)
if leftMs > 0 then redis.call('PEXPIRE', state, leftMs) end
redis.call('PUBLISH', wakeChannel, wake)
return whole(generation)
