// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
import type { BatchScript } from "../core/script/script.ts";

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

export interface AddKeys {
  /** string: 4 bytes that count its members, then the bits */
  readonly current: Arg;
  /** of the generation before; without generations, the same as `current` */
  readonly previous: Arg;
  /** of the generation after; likewise */
  readonly next: Arg;
}

export interface AddArgs {
  /** of all members' bits, behind those of the count: `hashes` of them for each member */
  readonly positions: string;
  readonly hashes: number;
  /** of the segment, with those of the count */
  readonly allBits: number;
  /** of the segment */
  readonly capacity: number;
  /** when this generation ends, ms; 0: there are no generations */
  readonly endsAt: number;
  /** how long one lasts */
  readonly ttlMs: number;
}

export type AddResult =
  | { readonly status: "ok"; readonly answers: string }
  | { readonly status: "late" };

/**
 * Adds members to a segment of a filter, and says of each whether it was there: `1` it was not, `0` it was, or is taken for one that was,
 * `2` neither, and the segment is full. The segment of this generation is written; members of the one before count as there. `late`: the next
 * generation is over too, and nothing was changed.
 */
export const add: BatchScript<AddKeys, AddArgs, AddResult> = {
  class: "idempotent",
  name: "bloom.add",
  sha1: "54a5596e2d0b020193ede95d7c3c119c0b80142b",
  lua: `-- bloom.add
${NOW}local current, previous, next = KEYS[1], KEYS[2], KEYS[3]
local positions, hashes, allBits, capacity, endsAt, ttlMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if endsAt > 0 and now() >= endsAt + ttlMs then return {'late'} end
if endsAt > 0 and now() >= endsAt then
  previous, current, endsAt = current, next, endsAt + ttlMs
end
local write, size = {}, 0
for position in string.gmatch(positions, '%d+') do
  write[size + 1], write[size + 2], write[size + 3], write[size + 4] = 'SET', 'u1', position, 1
  size = size + 4
end
local members = size / 4 / hashes
local function bits(key, from, to)
  local read, last = {}, 0
  for at = 4 * from * hashes + 3, 4 * to * hashes, 4 do
    read[last + 1], read[last + 2], read[last + 3] = 'GET', 'u1', write[at]
    last = last + 3
  end
  return redis.call('BITFIELD_RO', key, unpack(read))
end
local count = redis.call('BITFIELD_RO', current, 'GET', 'u32', 0)[1]
local counted = count
if count == 0 then redis.call('SETBIT', current, allBits - 1, 0) end
local before = current ~= previous and bits(previous, 0, members)
local function isSet(replies, member)
  for at = member * hashes + 1, (member + 1) * hashes do
    if replies[at] == 0 then return false end
  end
  return true
end
local answers = {}
local function answered(member, wasThere)
  if not wasThere then count = count + 1 end
  answers[member + 1] = (wasThere or (before and isSet(before, member))) and '0' or '1'
end
if count + members <= capacity then
  local replies = redis.call('BITFIELD', current, unpack(write))
  for member = 0, members - 1 do answered(member, isSet(replies, member)) end
else
  for member = 0, members - 1 do
    local from = member * hashes
    if isSet(bits(current, member, member + 1), 0) then
      answered(member, true)
    elseif count < capacity then
      redis.call('BITFIELD', current, unpack(write, 4 * from + 1, 4 * (from + hashes)))
      answered(member, false)
    else
      answers[member + 1] = (before and isSet(before, member)) and '0' or '2'
    end
  end
end
if count ~= counted then redis.call('BITFIELD', current, 'SET', 'u32', 0, count) end
if counted == 0 and endsAt > 0 then redis.call('PEXPIREAT', current, endsAt + ttlMs) end
return {'ok', table.concat(answers)}
`,
  encodeKeys(keys, out) {
    out.push(keys.current, keys.previous, keys.next);
  },
  encodeArgs(args, out) {
    out.push(args.positions, encodeInt("hashes", args.hashes), encodeInt("allBits", args.allBits), encodeInt("capacity", args.capacity), encodeInt("endsAt", args.endsAt), encodeInt("ttlMs", args.ttlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", answers: decodeText(fields[1]) };
      case "late":
        expectFields(fields, 0);
        return { status: "late" };
      default:
        throw new UnexpectedReplyError("one of ok, late", reply);
    }
  },
  most: 64,
  merged: {
    name: "bloom.add (merged)",
    sha1: "48fa930fa38b94fbfcf3ffb4db4c24dd114f98fd",
    lua: `-- bloom.add
${NOW}local function run(keyAt, argAt)
  local current, previous, next = KEYS[keyAt + 1], KEYS[keyAt + 2], KEYS[keyAt + 3]
  local positions, hashes, allBits, capacity, endsAt, ttlMs = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), tonumber(ARGV[argAt + 5]), tonumber(ARGV[argAt + 6])
  if endsAt > 0 and now() >= endsAt + ttlMs then return {'late'} end
  if endsAt > 0 and now() >= endsAt then
    previous, current, endsAt = current, next, endsAt + ttlMs
  end
  local write, size = {}, 0
  for position in string.gmatch(positions, '%d+') do
    write[size + 1], write[size + 2], write[size + 3], write[size + 4] = 'SET', 'u1', position, 1
    size = size + 4
  end
  local members = size / 4 / hashes
  local function bits(key, from, to)
    local read, last = {}, 0
    for at = 4 * from * hashes + 3, 4 * to * hashes, 4 do
      read[last + 1], read[last + 2], read[last + 3] = 'GET', 'u1', write[at]
      last = last + 3
    end
    return redis.call('BITFIELD_RO', key, unpack(read))
  end
  local count = redis.call('BITFIELD_RO', current, 'GET', 'u32', 0)[1]
  local counted = count
  if count == 0 then redis.call('SETBIT', current, allBits - 1, 0) end
  local before = current ~= previous and bits(previous, 0, members)
  local function isSet(replies, member)
    for at = member * hashes + 1, (member + 1) * hashes do
      if replies[at] == 0 then return false end
    end
    return true
  end
  local answers = {}
  local function answered(member, wasThere)
    if not wasThere then count = count + 1 end
    answers[member + 1] = (wasThere or (before and isSet(before, member))) and '0' or '1'
  end
  if count + members <= capacity then
    local replies = redis.call('BITFIELD', current, unpack(write))
    for member = 0, members - 1 do answered(member, isSet(replies, member)) end
  else
    for member = 0, members - 1 do
      local from = member * hashes
      if isSet(bits(current, member, member + 1), 0) then
        answered(member, true)
      elseif count < capacity then
        redis.call('BITFIELD', current, unpack(write, 4 * from + 1, 4 * (from + hashes)))
        answered(member, false)
      else
        answers[member + 1] = (before and isSet(before, member)) and '0' or '2'
      end
    end
  end
  if count ~= counted then redis.call('BITFIELD', current, 'SET', 'u32', 0, count) end
  if counted == 0 and endsAt > 0 then redis.call('PEXPIREAT', current, endsAt + ttlMs) end
  return {'ok', table.concat(answers)}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 6 and 6 or 0
for keyAt = 0, #KEYS - 1, 3 do
  local ok, reply = pcall(run, keyAt, argAt)
  if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  if reply == nil then reply = false end
  outcomes[size + 1], outcomes[size + 2] = ok and 0 or 1, reply
  size, argAt = size + 2, argAt + step
end
return outcomes
`,
  },
};
