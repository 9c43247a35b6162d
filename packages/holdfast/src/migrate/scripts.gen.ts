// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeBytes, decodeInt, decodeList, decodeOptional, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
import type { Script } from "../core/script/script.ts";

const JOB = `local function readJob(rows, prefix, id, state, score)
  local key = prefix .. id
  local fields = redis.call('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'priority', 'atm', 'deid', 'rjk', 'parentKey')
  local family = redis.call('EXISTS', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
  local taken = ''
  if fields[7] and redis.call('GET', prefix .. 'de:' .. fields[7]) == id then
    taken = tostring(redis.call('PTTL', prefix .. 'de:' .. fields[7]))
  end
  rows[#rows + 1] = state
  rows[#rows + 1] = id
  rows[#rows + 1] = score
  for at = 1, 9 do rows[#rows + 1] = fields[at] end
  rows[#rows + 1] = tostring(family)
  rows[#rows + 1] = taken
end
`;

export interface DropKeys {
  readonly taken: Arg;
}

export interface DropArgs {
  readonly prefix: string;
  /** of each job: state, score, id */
  readonly places: readonly string[];
}

export type DropResult = number;

/** Remove jobs that are in the other queue by now, with all that BullMQ keeps of them. */
export const drop: Script<DropKeys, DropArgs, DropResult> = {
  class: "idempotent",
  name: "migrate.drop",
  sha1: "395fbeed2ca6c22983330cc403a4224b924e5b89",
  lua: `-- migrate.drop
local taken = KEYS[1]
local prefix = ARGV[1]
local places = {}
for i = 2, #ARGV do places[i - 1] = ARGV[i] end
local count = 0
for at = 1, #places, 3 do
  local id = places[at + 2]
  if redis.call('LREM', taken, 1, cjson.encode({places[at], places[at + 1], id})) == 1 then
    local key = prefix .. id
    local deduplication = redis.call('HGET', key, 'deid')
    if deduplication and redis.call('GET', prefix .. 'de:' .. deduplication) == id then
      redis.call('DEL', prefix .. 'de:' .. deduplication, prefix .. 'dn:' .. deduplication)
    end
    redis.call('DEL', key, key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
    count = count + 1
  end
end
return count
`,
  encodeKeys(keys, out) {
    out.push(keys.taken);
  },
  encodeArgs(args, out) {
    out.push(args.prefix);
    for (const each of args.places) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface PeekKeys {
  readonly jobs: Arg;
}

export interface PeekArgs {
  readonly prefix: string;
  /** wait and paused are lists, the others sorted sets */
  readonly state: string;
  /** how many of those that are next are passed over */
  readonly skip: number;
  readonly count: number;
}

export type PeekResult = (Buffer | null)[];

/** Read jobs of BullMQ that wait, from those that are next on; nothing changes. */
export const peek: Script<PeekKeys, PeekArgs, PeekResult> = {
  class: "read",
  name: "migrate.peek",
  sha1: "805c3bc549bf052968bd755340760fb2299e9511",
  lua: `-- migrate.peek
${JOB}local jobs = KEYS[1]
local prefix, state, skip, count = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local rows = {}
if state == 'wait' or state == 'paused' then
  local ids = redis.call('LRANGE', jobs, -(skip + count), -(skip + 1))
  for at = #ids, 1, -1 do readJob(rows, prefix, ids[at], state, '') end
else
  local members = redis.call('ZRANGE', jobs, skip, skip + count - 1, 'WITHSCORES')
  for at = 1, #members, 2 do readJob(rows, prefix, members[at], state, members[at + 1]) end
end
return rows
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs);
  },
  encodeArgs(args, out) {
    out.push(args.prefix, args.state, encodeInt("skip", args.skip), encodeInt("count", args.count));
  },
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeBytes));
  },
};

export interface PutBackKeys {
  readonly taken: Arg;
  readonly jobs: Arg;
  readonly meta: Arg;
  readonly marker: Arg;
}

export interface PutBackArgs {
  /** of each job, all of one state: state, score, id; those first that were next */
  readonly places: readonly string[];
}

export type PutBackResult = number;

/** Give BullMQ back what was taken and cannot be moved: to where it was, next in its list. */
export const putBack: Script<PutBackKeys, PutBackArgs, PutBackResult> = {
  class: "idempotent",
  name: "migrate.putBack",
  sha1: "6f5b8654c3e36e45de8ce2cda1ffbede3d3d3179",
  lua: `-- migrate.putBack
local taken, jobs, meta, marker = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local places = ARGV
local count = 0
for at = #places - 2, 1, -3 do
  local state, score, id = places[at], places[at + 1], places[at + 2]
  if redis.call('LREM', taken, 1, cjson.encode({state, score, id})) == 1 then
    if score == '' then redis.call('RPUSH', jobs, id) else redis.call('ZADD', jobs, score, id) end
    count = count + 1
  end
end
if count > 0 and places[1] ~= 'failed' and redis.call('HEXISTS', meta, 'paused') == 0 then
  redis.call('ZADD', marker, 0, '0')
end
return count
`,
  encodeKeys(keys, out) {
    out.push(keys.taken, keys.jobs, keys.meta, keys.marker);
  },
  encodeArgs(args, out) {
    for (const each of args.places) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface SurveyKeys {
  readonly active: Arg;
  readonly parents: Arg;
  readonly failed: Arg;
  readonly completed: Arg;
  readonly meta: Arg;
  readonly schedulers: Arg;
}

export interface SurveyArgs {
  readonly skip: number;
  readonly count: number;
}

export type SurveyResult =
  | { readonly status: "ok"; readonly active: number; readonly parents: number; readonly failed: number; readonly completed: number; readonly paused: boolean; readonly schedules: (Buffer | null)[] };

/** What else is in a queue of BullMQ, and one page of its job schedulers. */
export const survey: Script<SurveyKeys, SurveyArgs, SurveyResult> = {
  class: "read",
  name: "migrate.survey",
  sha1: "19e3b334ef145ea6a35b5241fc0c0fdaaa2b9ab9",
  lua: `-- migrate.survey
local active, parents, failed, completed, meta, schedulers = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local skip, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local schedules = {}
local members = redis.call('ZRANGE', schedulers, skip, skip + count - 1, 'WITHSCORES')
for at = 1, #members, 2 do
  local id = members[at]
  schedules[#schedules + 1] = id
  schedules[#schedules + 1] = members[at + 1]
  local fields = redis.call(
    'HMGET', schedulers .. ':' .. id, 'name', 'pattern', 'every', 'tz', 'startDate', 'endDate', 'limit', 'data', 'opts'
  )
  for place = 1, 9 do schedules[#schedules + 1] = fields[place] end
end
return {
  'ok', redis.call('LLEN', active), redis.call('ZCARD', parents), redis.call('ZCARD', failed),
  redis.call('ZCARD', completed), redis.call('HEXISTS', meta, 'paused'), schedules,
}
`,
  encodeKeys(keys, out) {
    out.push(keys.active, keys.parents, keys.failed, keys.completed, keys.meta, keys.schedulers);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("skip", args.skip), encodeInt("count", args.count));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 6);
        return { status: "ok", active: decodeInt(fields[1]), parents: decodeInt(fields[2]), failed: decodeInt(fields[3]), completed: decodeInt(fields[4]), paused: decodeBool(fields[5]), schedules: decodeList(fields[6], (part) => decodeOptional(part, decodeBytes)) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface TakeKeys {
  readonly jobs: Arg;
  readonly taken: Arg;
}

export interface TakeArgs {
  readonly state: string;
  readonly ids: readonly string[];
}

export type TakeResult = number;

/**
 * Take jobs out of BullMQ's reach, those of them that still wait: into a list of our own, in the same step.
 * A repetition takes nothing a second time. Its workers find them no more; their data stays where it is.
 */
export const take: Script<TakeKeys, TakeArgs, TakeResult> = {
  class: "idempotent",
  name: "migrate.take",
  sha1: "2a636a49c2d1c0f6fa66c36c727e3823a77baa02",
  lua: `-- migrate.take
local jobs, taken = KEYS[1], KEYS[2]
local state = ARGV[1]
local ids = {}
for i = 2, #ARGV do ids[i - 1] = ARGV[i] end
local count = 0
for _, id in ipairs(ids) do
  local score = ''
  local removed
  if state == 'wait' or state == 'paused' then
    removed = redis.call('LREM', jobs, -1, id)
  else
    score = redis.call('ZSCORE', jobs, id)
    removed = redis.call('ZREM', jobs, id)
  end
  if removed == 1 then
    redis.call('RPUSH', taken, cjson.encode({state, score, id}))
    count = count + 1
  end
end
return count
`,
  encodeKeys(keys, out) {
    out.push(keys.jobs, keys.taken);
  },
  encodeArgs(args, out) {
    out.push(args.state);
    for (const each of args.ids) out.push(each);
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface TakenKeys {
  readonly taken: Arg;
}

export interface TakenArgs {
  readonly prefix: string;
  readonly count: number;
}

export type TakenResult = (Buffer | null)[];

/** Read the jobs that were taken out of BullMQ's reach and are not removed yet, those first that were taken first. */
export const taken: Script<TakenKeys, TakenArgs, TakenResult> = {
  class: "read",
  name: "migrate.taken",
  sha1: "c9205c5d8c775df32298ba5ca458ce7248d70585",
  lua: `-- migrate.taken
${JOB}local taken = KEYS[1]
local prefix, count = ARGV[1], tonumber(ARGV[2])
local rows = {}
for _, entry in ipairs(redis.call('LRANGE', taken, 0, count - 1)) do
  local state, score, id = unpack(cjson.decode(entry))
  readJob(rows, prefix, id, state, score)
end
return rows
`,
  encodeKeys(keys, out) {
    out.push(keys.taken);
  },
  encodeArgs(args, out) {
    out.push(args.prefix, encodeInt("count", args.count));
  },
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeBytes));
  },
};
