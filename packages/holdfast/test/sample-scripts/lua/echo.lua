--- Returns each argument as Lua saw it, so that a test can compare what went in with what comes out.
-- @class read
-- @key anything
-- @arg raw bytes   any bytes
-- @arg name text
-- @arg whole int
-- @arg real float
-- @arg flag bool
-- @arg document json
-- @arg huge bigint
-- @arg rest... int
-- @result same raw:bytes name:text whole:int real:float flag:bool document:json huge:bigint rest:list<int> absent:text?
return {
  'same', raw, name, whole, string.format('%.17g', real), flag, cjson.encode(document), huge, rest,
}
