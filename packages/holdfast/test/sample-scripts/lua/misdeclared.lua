--- Its header is wrong on purpose: what the header does not allow must come out as an error.
-- @class read
-- @batch
-- @key anything
-- @arg reply text
-- @result number value:int
if reply == 'status' then return {'surprise'} end
if reply == 'type' then return {'number', 'twelve'} end
if reply == 'missing' then return {'number'} end
if reply == 'extra' then return {'number', 12, 13} end
return {'number', 12}
