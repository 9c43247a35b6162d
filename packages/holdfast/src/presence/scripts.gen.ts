// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBytes, decodeInt, decodeRows, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
import type { Script } from "../core/script/script.ts";

const NOW = `local clockMicros
local function nowMicros()
  if not clockMicros then
    local clock = redis.call('TIME')
    clockMicros = clock[1] * 1000000 + clock[2]
  end
  return clockMicros
end
local function now()
  return math.floor(nowMicros() / 1000)
end
`;

const ROOM = `local MAX_SWEPT = 500
local MAX_DEAD_NODES = 20
local CALL_MS = 1000
local NODE_FIELDS = 2
local function heldBy(r, node)
  return node == '' and r.left or r.key .. ':node:' .. node
end
local function begin(r)
  r.epoch = string.format('%.0f', math.max(nowMicros(), (tonumber(r.epoch) or 0) + 1))
  r.version, r.devices, r.users, r.nodeCount, r.leftCount = 0, 0, 0, 0, 0
end
local function keep(r, ...)
  for _, key in ipairs({ r.key, r.members, r.nodes, r.leaving, r.left, ... }) do redis.call('PEXPIRE', key, r.keepMs) end
end
local function save(r)
  redis.call(
    'HSET', r.key, 'epoch', r.epoch, 'version', r.version, 'devices', r.devices, 'users', r.users, 'nodes', r.nodeCount,
    'left', r.leftCount
  )
end
local function call(r)
  redis.call('PEXPIRE', r.key, r.keepMs)
  if now() - (tonumber(redis.call('HGET', r.key, 'called')) or 0) < CALL_MS then return end
  redis.call('HSET', r.key, 'called', now())
  redis.call('PUBLISH', r.wakeChannel, r.key)
end
local function reset(r)
  redis.call('UNLINK', r.members, r.nodes, r.leaving, r.left)
  begin(r)
  r.changes = {}
  save(r)
  keep(r)
  redis.call('SPUBLISH', r.channel, r.epoch .. ' 0 -1\\n')
  call(r)
end
local function unknown(r)
  if r.epoch then call(r) else reset(r) end
end
local function openRoom(key, channel, wakeChannel, keepMs)
  local head = redis.call('HMGET', key, 'epoch', 'version', 'devices', 'users', 'nodes', 'left')
  local r = {
    key = key, channel = channel, wakeChannel = wakeChannel, keepMs = keepMs, changes = {}, dueMs = -1,
    members = key .. ':members', nodes = key .. ':nodes', leaving = key .. ':leaving', left = key .. ':left',
    epoch = head[1], version = tonumber(head[2]) or 0, devices = tonumber(head[3]) or 0, users = tonumber(head[4]) or 0,
    nodeCount = tonumber(head[5]) or 0, leftCount = tonumber(head[6]) or 0
  }
  local isWhole = redis.call('ZCARD', r.members) == r.devices and redis.call('ZCARD', r.nodes) == r.nodeCount
  if isWhole and r.leftCount > 0 then
    isWhole = redis.call('ZCARD', r.leaving) == r.leftCount and redis.call('HLEN', r.left) == r.leftCount
  end
  if not isWhole then reset(r) end
  return r
end
local function text(bytes)
  return #bytes .. ':' .. bytes
end
local function devicesOf(r, user)
  return redis.call('ZLEXCOUNT', r.members, '[' .. user .. '\\0', '(' .. user .. '\\1')
end
local function userOf(session)
  return string.sub(session, 1, string.find(session, '\\0', 1, true) - 1)
end
local function gone(r, session)
  r.devices = r.devices - 1
  if devicesOf(r, userOf(session)) == 0 then r.users = r.users - 1 end
  r.changes[#r.changes + 1] = '-' .. text(session)
end
local function present(r, session, entry)
  r.changes[#r.changes + 1] = '+' .. text(session) .. text(entry)
end
local function untilFirst(key, count)
  if count == 0 then return -1 end
  return math.max(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] - now(), 0)
end
local function sweep(r)
  local leftMs, deadMs = untilFirst(r.leaving, r.leftCount), untilFirst(r.nodes, r.nodeCount)
  if leftMs ~= 0 and deadMs ~= 0 then
    if leftMs < 0 or deadMs < 0 then return math.max(leftMs, deadMs) end
    return math.min(leftMs, deadMs)
  end
  local swept = 0
  for _, session in ipairs(redis.call('ZRANGE', r.leaving, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_SWEPT)) do
    redis.call('ZREM', r.leaving, session)
    redis.call('HDEL', r.left, session)
    redis.call('ZREM', r.members, session .. '\\0')
    r.leftCount = r.leftCount - 1
    gone(r, session)
    swept = swept + 1
  end
  for _, node in ipairs(redis.call('ZRANGE', r.nodes, '-inf', now(), 'BYSCORE', 'LIMIT', 0, MAX_DEAD_NODES)) do
    if swept >= MAX_SWEPT then return 0 end
    local held = heldBy(r, node)
    local fields = redis.call('HRANDFIELD', held, MAX_SWEPT - swept + NODE_FIELDS)
    if #fields == 0 then
      reset(r)
      return -1
    end
    for _, session in ipairs(fields) do
      if string.find(session, '\\0', 1, true) then
        redis.call('HDEL', held, session)
        redis.call('ZREM', r.members, session .. '\\0' .. node)
        gone(r, session)
        swept = swept + 1
      end
    end
    if redis.call('HLEN', held) <= NODE_FIELDS then
      redis.call('ZREM', r.nodes, node)
      r.nodeCount = r.nodeCount - 1
    end
  end
  return 0
end
local function due(r, ms)
  if r.dueMs < 0 or ms < r.dueMs then r.dueMs = ms end
end
local function finish(r)
  if #r.changes > 0 then r.version = r.version + 1 end
  save(r)
  if #r.changes == 0 and r.dueMs < 0 then return end
  local head = string.format('%s %.0f %.0f\\n', r.epoch, r.version, r.dueMs)
  redis.call('SPUBLISH', r.channel, head .. table.concat(r.changes))
end
`;

export interface BeatKeys {
  readonly room: Arg;
}

export interface BeatArgs {
  readonly node: string;
  /** as for a change */
  readonly ttlMs: number;
  readonly keepMs: number;
  readonly channel: string;
  readonly wakeChannel: string;
}

export type BeatResult =
  | { readonly status: "ok"; readonly held: number }
  | { readonly status: "lost" };

/** Keep all members of a node in the room. `held`: how many they are. `lost`: they are out. */
export const beat: Script<BeatKeys, BeatArgs, BeatResult> = {
  class: "idempotent",
  name: "presence.beat",
  sha1: "fc0307343df5021719689c123ef5a982d6f29c24",
  lua: `-- presence.beat
${NOW}${ROOM}local room = KEYS[1]
local node, ttlMs, keepMs, channel, wakeChannel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local r = openRoom(room, channel, wakeChannel, keepMs)
local held = heldBy(r, node)
local outAt = tonumber(redis.call('ZSCORE', r.nodes, node))
local fields = redis.call('HLEN', held)
if outAt and fields == 0 then
  reset(r)
  return {'lost'}
end
if not outAt then unknown(r) end
if not outAt or outAt <= now() then return {'lost'} end
redis.call('PEXPIRE', held, keepMs)
redis.call('ZADD', r.nodes, now() + ttlMs, node)
local epoch = r.epoch
sweep(r)
if r.epoch ~= epoch then return {'lost'} end
finish(r)
keep(r)
return {'ok', fields - NODE_FIELDS}
`,
  encodeKeys(keys, out) {
    out.push(keys.room);
  },
  encodeArgs(args, out) {
    out.push(args.node, encodeInt("ttlMs", args.ttlMs), encodeInt("keepMs", args.keepMs), args.channel, args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", held: decodeInt(fields[1]) };
      case "lost":
        expectFields(fields, 0);
        return { status: "lost" };
      default:
        throw new UnexpectedReplyError("one of ok, lost", reply);
    }
  },
};

export interface ChangeKeys {
  readonly room: Arg;
}

export interface ChangeArgs {
  /** `<owner>.<number>` */
  readonly node: string;
  /** of this request among the node's: the next is sent when this one has been answered or given up */
  readonly seq: number;
  /** by the server's clock; 0: it cannot come late */
  readonly untilMs: number;
  /** without a heartbeat its members are out after so long, the grace included */
  readonly ttlMs: number;
  /** without anything the room is forgotten after so long */
  readonly keepMs: number;
  /** devices in the room */
  readonly maxMembers: number;
  /** of one user */
  readonly maxDevices: number;
  /** the node has no members after this */
  readonly retire: boolean;
  readonly channel: string;
  readonly wakeChannel: string;
  /** four each: `+` join, `~` join again, `=` change, `-` leave; user; device; meta, for `-` the grace in ms */
  readonly items: readonly Arg[];
}

export type ChangeResult =
  | { readonly status: "ok"; readonly outcomes: string }
  | { readonly status: "lost" }
  | { readonly status: "late" };

/**
 * Let members of one node join, change and leave. `outcomes` has a letter for each item: `k` done, `g` it is not this node's
 * (any more), `f` the room is full, `d` the user has too many devices. `lost`: the node is not known (any more). `late`: a copy
 * that comes after its time.
 */
export const change: Script<ChangeKeys, ChangeArgs, ChangeResult> = {
  class: "dedupable",
  name: "presence.change",
  sha1: "924c322619a5489bfdbbfe981a2a7bd1397d826a",
  lua: `-- presence.change
${NOW}${ROOM}local room = KEYS[1]
local node, seq, untilMs, ttlMs, keepMs, maxMembers, maxDevices, retire, channel, wakeChannel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1', ARGV[9], ARGV[10]
local items = {}
for i = 11, #ARGV do items[i - 10] = ARGV[i] end
local ITEM_FIELDS = 4
local REPEAT_MS = 10000
if untilMs > 0 and now() > untilMs then return {'late'} end
local r = openRoom(room, channel, wakeChannel, keepMs)
local held = heldBy(r, node)
local known = redis.call('HMGET', held, 'seq', 'outcomes')
local last = tonumber(known[1])
if last and seq <= last then return seq == last and {'ok', known[2]} or {'late'} end
local outAt = tonumber(redis.call('ZSCORE', r.nodes, node))
if last or seq > 1 or outAt then
  if outAt and not last then reset(r) end
  if not outAt then unknown(r) end
  if not outAt or not last or outAt <= now() then return {'lost'} end
end
if not r.epoch then begin(r) end
local adds = false
for at = 1, #items, ITEM_FIELDS do adds = adds or items[at] ~= '-' end
if adds then redis.call('HSET', held, 'seq', seq, 'outcomes', '') else redis.call('PEXPIRE', r.key, keepMs) end
local epoch = r.epoch
sweep(r)
if last and r.epoch ~= epoch then return {'lost'} end
if not redis.call('ZSCORE', r.nodes, node) then
  r.nodeCount = r.nodeCount + 1
  due(r, ttlMs)
end
redis.call('ZADD', r.nodes, now() + ttlMs, node)
local function elsewhere(session)
  local row = redis.call('ZRANGE', r.members, '[' .. session .. '\\0', '(' .. session .. '\\1', 'BYLEX', 'LIMIT', 0, 1)[1]
  return row, row and string.sub(row, #session + 2)
end
local owner = string.match(node, '^[^.]+%.')
local function join(op, user, session, meta)
  local row, other = elsewhere(session)
  if row == nil then
    local devices = devicesOf(r, user)
    if r.devices >= maxMembers then return 'f' end
    if devices >= maxDevices then return 'd' end
    local entry = string.format('%.0f:', now()) .. meta
    redis.call('HSET', held, session, entry)
    redis.call('ZADD', r.members, 0, session .. '\\0' .. node)
    r.devices = r.devices + 1
    if devices == 0 then r.users = r.users + 1 end
    present(r, session, entry)
    return 'k'
  end
  if op == '~' and other ~= '' and string.sub(other, 1, #owner) ~= owner then return 'g' end
  local before = redis.call('HGET', heldBy(r, other), session)
  local entry = string.match(before or string.format('%.0f:', now()), '^%d+:') .. meta
  if other ~= node then
    redis.call('HDEL', heldBy(r, other), session)
    redis.call('ZREM', r.members, row)
    redis.call('ZADD', r.members, 0, session .. '\\0' .. node)
    if other == '' then
      redis.call('ZREM', r.leaving, session)
      r.leftCount = r.leftCount - 1
    end
  end
  redis.call('HSET', held, session, entry)
  if entry ~= before then present(r, session, entry) end
  return 'k'
end
local function change(session, meta)
  local before = redis.call('HGET', held, session)
  if not before then return 'g' end
  local entry = string.match(before, '^%d+:') .. meta
  if entry ~= before then
    redis.call('HSET', held, session, entry)
    present(r, session, entry)
  end
  return 'k'
end
local function leave(session, graceMs)
  local entry = redis.call('HGET', held, session)
  if not entry then return 'g' end
  redis.call('HDEL', held, session)
  redis.call('ZREM', r.members, session .. '\\0' .. node)
  if graceMs == 0 then
    gone(r, session)
    return 'k'
  end
  redis.call('ZADD', r.members, 0, session .. '\\0')
  redis.call('HSET', r.left, session, entry)
  redis.call('ZADD', r.leaving, now() + graceMs, session)
  r.leftCount = r.leftCount + 1
  due(r, graceMs)
  return 'k'
end
local outcomes = {}
for at = 1, #items, ITEM_FIELDS do
  local op, user, payload = items[at], items[at + 1], items[at + 3]
  local session = user .. '\\0' .. items[at + 2]
  if op == '-' then outcomes[#outcomes + 1] = leave(session, tonumber(payload))
  elseif op == '=' then outcomes[#outcomes + 1] = change(session, payload)
  else outcomes[#outcomes + 1] = join(op, user, session, payload) end
end
redis.call('HSET', held, 'seq', seq, 'outcomes', table.concat(outcomes))
local isOver = retire and redis.call('HLEN', held) <= NODE_FIELDS
if isOver then
  redis.call('ZREM', r.nodes, node)
  r.nodeCount = r.nodeCount - 1
end
finish(r)
keep(r, held)
if isOver then redis.call('PEXPIRE', held, math.max(untilMs - now(), REPEAT_MS)) end
return {'ok', table.concat(outcomes)}
`,
  encodeKeys(keys, out) {
    out.push(keys.room);
  },
  encodeArgs(args, out) {
    out.push(args.node, encodeInt("seq", args.seq), encodeInt("untilMs", args.untilMs), encodeInt("ttlMs", args.ttlMs), encodeInt("keepMs", args.keepMs), encodeInt("maxMembers", args.maxMembers), encodeInt("maxDevices", args.maxDevices), encodeBool(args.retire), args.channel, args.wakeChannel);
    for (const each of args.items) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", outcomes: decodeText(fields[1]) };
      case "lost":
        expectFields(fields, 0);
        return { status: "lost" };
      case "late":
        expectFields(fields, 0);
        return { status: "late" };
      default:
        throw new UnexpectedReplyError("one of ok, lost, late", reply);
    }
  },
};

export interface ReadKeys {
  readonly room: Arg;
}

export interface ReadArgs {
  /** as for ZRANGE BYLEX */
  readonly from: Arg;
  readonly to: Arg;
  /** devices; 0: none */
  readonly limit: number;
  /** of one user, beyond the limit */
  readonly maxDevices: number;
  readonly keepMs: number;
  readonly channel: string;
  readonly wakeChannel: string;
}

export type ReadResult =
  | { readonly status: "room"; readonly epoch: number; readonly version: number; readonly dueMs: number; readonly devices: number; readonly users: number; readonly rows: { readonly session: Buffer; readonly entry: Buffer }[] }
  | { readonly status: "more" };

/**
 * Who is in the room, a page in the order of users and devices, all devices of a user in the same page. Takes out first whose
 * time is over; `more`: so many that this is to be called again.
 */
export const read: Script<ReadKeys, ReadArgs, ReadResult> = {
  class: "idempotent",
  name: "presence.read",
  sha1: "55b086fd7f3ec338b7d9de461c2f65bd515804df",
  lua: `-- presence.read
${NOW}${ROOM}local room = KEYS[1]
local from, to, limit, maxDevices, keepMs, channel, wakeChannel = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], ARGV[7]
local r = openRoom(room, channel, wakeChannel, keepMs)
local dueMs = sweep(r)
if #r.changes > 0 then finish(r) end
if dueMs == 0 then return {'more'} end
local rows = {}
local function add(found)
  for _, row in ipairs(found) do
    local at = string.find(row, '\\0', string.find(row, '\\0', 1, true) + 1, true)
    local session = string.sub(row, 1, at - 1)
    local entry = redis.call('HGET', heldBy(r, string.sub(row, at + 1)), session)
    if not entry then return false end
    rows[#rows + 1], rows[#rows + 2] = session, entry
  end
  return true
end
local found = limit > 0 and redis.call('ZRANGE', r.members, from, to, 'BYLEX', 'LIMIT', 0, limit) or {}
local isWhole = add(found)
if isWhole and limit > 0 and #found == limit then
  local last = found[#found]
  local rest = { '(' .. last, '(' .. userOf(last) .. '\\1', 'BYLEX', 'LIMIT', 0, maxDevices }
  isWhole = add(redis.call('ZRANGE', r.members, unpack(rest)))
end
if not isWhole then
  reset(r)
  return {'more'}
end
return {'room', r.epoch or 0, r.version, string.format('%.0f', dueMs), r.devices, r.users, rows}
`,
  encodeKeys(keys, out) {
    out.push(keys.room);
  },
  encodeArgs(args, out) {
    out.push(args.from, args.to, encodeInt("limit", args.limit), encodeInt("maxDevices", args.maxDevices), encodeInt("keepMs", args.keepMs), args.channel, args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "room":
        expectFields(fields, 6);
        return { status: "room", epoch: decodeInt(fields[1]), version: decodeInt(fields[2]), dueMs: decodeInt(fields[3]), devices: decodeInt(fields[4]), users: decodeInt(fields[5]), rows: decodeRows(fields[6], 2, (flat, at) => ({ session: decodeBytes(flat[at]), entry: decodeBytes(flat[at + 1]) })) };
      case "more":
        expectFields(fields, 0);
        return { status: "more" };
      default:
        throw new UnexpectedReplyError("one of room, more", reply);
    }
  },
};
