--- Delete a record and return what it had in some fields of its hash, empty where it had none.
-- @class idempotent
-- @key record
-- @arg fields... text
-- @result ok values:list<bytes>
-- @result missing
if redis.call('EXISTS', record) == 0 then return {'missing'} end
local values = {}
for i = 1, #fields do values[i] = redis.call('HGET', record, fields[i]) or '' end
redis.call('UNLINK', record)
return {'ok', values}
