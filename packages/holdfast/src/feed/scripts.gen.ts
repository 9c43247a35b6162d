// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBytes, decodeInt, decodeList, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
import type { None, Script } from "../core/script/script.ts";

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

export interface DeliverKeys {
  /** sorted set: activities and groups by time (us) */
  readonly named: Arg;
  /** sorted set: the newest activities of the group by time, and `!n`: how many there were besides */
  readonly group: Arg;
}

export interface DeliverArgs {
  readonly id: Arg;
  readonly score: number;
  /** the group's in `named` */
  readonly member: Arg;
  /** of the feed */
  readonly size: number;
  /** of the group */
  readonly kept: number;
  readonly keepMs: number;
}

export type DeliverResult =
  | { readonly status: "ok" };

/** Adds an activity to a group of a named feed, and moves the group up. */
export const deliver: Script<DeliverKeys, DeliverArgs, DeliverResult> = {
  class: "idempotent",
  name: "feed.deliver",
  sha1: "ec77d0d3768541446875af67d7bcd5f31f201a2e",
  lua: `-- feed.deliver
local named, group = KEYS[1], KEYS[2]
local id, score, member, size, kept, keepMs = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local others = tonumber(redis.call('ZSCORE', group, '!n') or -1)
local isOld = false
if others > 0 then
  local oldest = tonumber(redis.call('ZRANGE', group, 1, 1, 'WITHSCORES')[2] or 0)
  local newest = tonumber(redis.call('ZRANGE', group, -1, -1, 'WITHSCORES')[2])
  isOld = score < oldest and score < newest - 60000000
end
if others < 0 then redis.call('ZADD', group, 0, '!n') end
if not isOld and redis.call('ZADD', group, score, id) == 1 then
  local extra = redis.call('ZREMRANGEBYRANK', group, 1, -kept - 1)
  if extra > 0 then redis.call('ZINCRBY', group, extra, '!n') end
end
local newest = redis.call('ZRANGE', group, -1, -1, 'WITHSCORES')
redis.call('ZADD', named, newest[2], member)
redis.call('ZREMRANGEBYRANK', named, 0, -size - 1)
redis.call('PEXPIRE', named, keepMs)
redis.call('PEXPIRE', group, keepMs)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.named, keys.group);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeInt("score", args.score), args.member, encodeInt("size", args.size), encodeInt("kept", args.kept), encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface DueKeys {
  /** sorted set: activity ids by the time (ms) at which somebody else may go on with them */
  readonly unfinished: Arg;
}

export interface DueArgs {
  readonly most: number;
  readonly leaseMs: number;
}

export type DueResult = string[];

/** Takes publications that did not end, for a time: another process gets others, and these again if this one dies. */
export const due: Script<DueKeys, DueArgs, DueResult> = {
  class: "idempotent",
  name: "feed.due",
  sha1: "809913f7ca570758d342eeeba3c999d5b6070c63",
  lua: `-- feed.due
${NOW}local unfinished = KEYS[1]
local most, leaseMs = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = redis.call('ZRANGEBYSCORE', unfinished, '-inf', now(), 'LIMIT', 0, most)
for _, id in ipairs(due) do redis.call('ZADD', unfinished, now() + leaseMs, id) end
return due
`,
  encodeKeys(keys, out) {
    out.push(keys.unfinished);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("most", args.most), encodeInt("leaseMs", args.leaseMs));
  },
  decode(reply) {
    return decodeList(reply, decodeText);
  },
};

export interface EraseKeys {
  readonly item: Arg;
}

export type EraseArgs = None;

export type EraseResult =
  | { readonly status: "ok" }
  | { readonly status: "missing" };

/**
 * Leaves four zero bytes and its head in the place of an activity, for as long as it would have been kept: what arrives late does not bring it
 * back, and a deletion that failed half-way can be ended.
 */
export const erase: Script<EraseKeys, EraseArgs, EraseResult> = {
  class: "idempotent",
  name: "feed.erase",
  sha1: "8a3185a4c753c540afbaac0ec2c82560928452b3",
  lua: `-- feed.erase
local item = KEYS[1]
local found = redis.call('GET', item)
local erased = string.char(0, 0, 0, 0)
if not found or string.sub(found, 1, 4) == erased then return {'missing'} end
local length = 0
for at = 1, 4 do length = length * 256 + (string.byte(found, at) or 0) end
redis.call('SET', item, erased .. string.sub(found, 1, 4 + length), 'KEEPTTL')
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.item);
  },
  encodeArgs() {},
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of ok, missing", reply);
    }
  },
};

export interface FillKeys {
  readonly inbox: Arg;
}

export interface FillArgs {
  readonly mark: string;
  /** all entries after this time (us) are there */
  readonly floor: string;
  readonly size: number;
  /** time and id, alternating, the newest first */
  readonly entries: readonly Arg[];
}

export type FillResult =
  | { readonly status: "ok" }
  | { readonly status: "changed" };

/** Ends the filling of an inbox that is still the one that was begun. */
export const fill: Script<FillKeys, FillArgs, FillResult> = {
  class: "idempotent",
  name: "feed.fill",
  sha1: "c005ec3f20224e790b1d07057e061521635e803e",
  lua: `-- feed.fill
local inbox = KEYS[1]
local mark, floor, size = ARGV[1], ARGV[2], tonumber(ARGV[3])
local entries = {}
for i = 4, #ARGV do entries[i - 3] = ARGV[i] end
if redis.call('ZRANGE', inbox, -1, -1)[1] ~= mark then return {'changed'} end
local room = math.max(size + 1 - redis.call('ZCARD', inbox), 0)
if #entries > 2 * room then
  floor = entries[2 * room + 1]
  entries = {unpack(entries, 1, 2 * room)}
end
if #entries > 0 then redis.call('ZADD', inbox, unpack(entries)) end
redis.call('ZADD', inbox, '+inf', '!' .. floor)
redis.call('ZREM', inbox, mark)
redis.call('ZREMRANGEBYRANK', inbox, 0, -size - 2)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.inbox);
  },
  encodeArgs(args, out) {
    out.push(args.mark, args.floor, encodeInt("size", args.size));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "changed":
        expectFields(fields, 0);
        return { status: "changed" };
      default:
        throw new UnexpectedReplyError("one of ok, changed", reply);
    }
  },
};

export interface FollowKeys {
  readonly following: Arg;
}

export interface FollowArgs {
  readonly author: Arg;
  readonly from: number;
  readonly most: number;
}

export type FollowResult =
  | { readonly status: "ok" }
  | { readonly status: "known"; readonly from: number }
  | { readonly status: "limit" };

/** Notes whom a reader follows, and from what time (us) on entries are shown. */
export const follow: Script<FollowKeys, FollowArgs, FollowResult> = {
  class: "idempotent",
  name: "feed.follow",
  sha1: "43fdae5b3f56549e2a68ab4f1c532c06263ccba4",
  lua: `-- feed.follow
local following = KEYS[1]
local author, from, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('ZSCORE', following, author)
if known then return {'known', string.format('%.0f', tonumber(known))} end
if redis.call('ZCARD', following) >= most then return {'limit'} end
redis.call('ZADD', following, from, author)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.following);
  },
  encodeArgs(args, out) {
    out.push(args.author, encodeInt("from", args.from), encodeInt("most", args.most));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "known":
        expectFields(fields, 1);
        return { status: "known", from: decodeInt(fields[1]) };
      case "limit":
        expectFields(fields, 0);
        return { status: "limit" };
      default:
        throw new UnexpectedReplyError("one of ok, known, limit", reply);
    }
  },
};

export interface JoinKeys {
  /** hash: buckets (n), followers (c) */
  readonly followers: Arg;
  /** sorted set of followers */
  readonly bucket: Arg;
}

export interface JoinArgs {
  readonly follower: Arg;
  /** that the caller has found the bucket by */
  readonly buckets: number;
  readonly most: number;
}

export type JoinResult =
  | { readonly status: "ok"; readonly count: number }
  | { readonly status: "moved"; readonly buckets: number }
  | { readonly status: "limit" };

/** Adds a follower to its bucket. */
export const join: Script<JoinKeys, JoinArgs, JoinResult> = {
  class: "idempotent",
  name: "feed.join",
  sha1: "043031a0afd90887eb94665c52cf82b28fdb4da2",
  lua: `-- feed.join
local followers, bucket = KEYS[1], KEYS[2]
local follower, buckets, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local n = tonumber(redis.call('HGET', followers, 'n') or 1)
if n ~= buckets then return {'moved', n} end
local count = tonumber(redis.call('HGET', followers, 'c') or 0)
if redis.call('ZSCORE', bucket, follower) then return {'ok', count} end
if count >= most then return {'limit'} end
redis.call('ZADD', bucket, 0, follower)
return {'ok', redis.call('HINCRBY', followers, 'c', 1)}
`,
  encodeKeys(keys, out) {
    out.push(keys.followers, keys.bucket);
  },
  encodeArgs(args, out) {
    out.push(args.follower, encodeInt("buckets", args.buckets), encodeInt("most", args.most));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", count: decodeInt(fields[1]) };
      case "moved":
        expectFields(fields, 1);
        return { status: "moved", buckets: decodeInt(fields[1]) };
      case "limit":
        expectFields(fields, 0);
        return { status: "limit" };
      default:
        throw new UnexpectedReplyError("one of ok, moved, limit", reply);
    }
  },
};

export interface LeaveKeys {
  readonly followers: Arg;
  readonly bucket: Arg;
}

export interface LeaveArgs {
  readonly follower: Arg;
  /** that the caller has found the bucket by */
  readonly buckets: number;
}

export type LeaveResult =
  | { readonly status: "ok" }
  | { readonly status: "moved"; readonly buckets: number };

/** Takes a follower out of its bucket. */
export const leave: Script<LeaveKeys, LeaveArgs, LeaveResult> = {
  class: "idempotent",
  name: "feed.leave",
  sha1: "5528223229f086c849d52de47379e10fd7b6443d",
  lua: `-- feed.leave
local followers, bucket = KEYS[1], KEYS[2]
local follower, buckets = ARGV[1], tonumber(ARGV[2])
local n = tonumber(redis.call('HGET', followers, 'n') or 1)
if n ~= buckets then return {'moved', n} end
if redis.call('ZREM', bucket, follower) == 1 and redis.call('HINCRBY', followers, 'c', -1) < 0 then
  redis.call('HSET', followers, 'c', 0)
end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.followers, keys.bucket);
  },
  encodeArgs(args, out) {
    out.push(args.follower, encodeInt("buckets", args.buckets));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "moved":
        expectFields(fields, 1);
        return { status: "moved", buckets: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, moved", reply);
    }
  },
};

export interface MarkKeys {
  /** sorted set: entries that were read by their times (us); `!seen` and `!read`: up to these times all is */
  readonly marks: Arg;
}

export interface MarkArgs {
  readonly seen: number;
  readonly read: number;
  readonly kept: number;
  readonly keepMs: number;
  /** time and id, alternating */
  readonly entries: readonly Arg[];
}

export type MarkResult =
  | { readonly status: "ok" };

/** Notes what a reader has seen and read. Of more marks than are kept the oldest become a limit: what is older counts as read. */
export const mark: Script<MarkKeys, MarkArgs, MarkResult> = {
  class: "idempotent",
  name: "feed.mark",
  sha1: "63463fae0f75bcc3e497afc4b2051def6766e9f0",
  lua: `-- feed.mark
local marks = KEYS[1]
local seen, read, kept, keepMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local entries = {}
for i = 5, #ARGV do entries[i - 4] = ARGV[i] end
local seenTo = math.max(seen, tonumber(redis.call('ZSCORE', marks, '!seen') or 0))
local readTo = math.max(read, tonumber(redis.call('ZSCORE', marks, '!read') or 0))
redis.call('ZREM', marks, '!seen', '!read')
for at = 1, #entries, 2 do
  redis.call('ZADD', marks, 'GT', entries[at], entries[at + 1])
  if redis.call('ZCARD', marks) > kept then readTo = math.max(readTo, tonumber(redis.call('ZPOPMIN', marks)[2])) end
end
redis.call('ZREMRANGEBYSCORE', marks, '-inf', readTo)
redis.call('ZADD', marks, seenTo, '!seen', readTo, '!read')
redis.call('PEXPIRE', marks, keepMs)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.marks);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("seen", args.seen), encodeInt("read", args.read), encodeInt("kept", args.kept), encodeInt("keepMs", args.keepMs));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface ModeKeys {
  readonly followers: Arg;
}

export interface ModeArgs {
  readonly before: string;
  /** us */
  readonly since: number;
  readonly after: string;
  /** us */
  readonly at: number;
}

export type ModeResult =
  | { readonly status: "ok" }
  | { readonly status: "changed" };

/** Changes how an author's followers get entries, if it is still as it was. */
export const mode: Script<ModeKeys, ModeArgs, ModeResult> = {
  class: "idempotent",
  name: "feed.mode",
  sha1: "0ce3e5b06dc04302e21557d6c9f5048297ea2ed1",
  lua: `-- feed.mode
local followers = KEYS[1]
local before, since, after, at = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local known = redis.call('HMGET', followers, 'm', 's')
local mode, from = known[1] or 'push', tonumber(known[2] or 0)
if mode == after and from == at then return {'ok'} end
if mode ~= before or from ~= since then return {'changed'} end
redis.call('HSET', followers, 'm', after, 's', string.format('%.0f', at))
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.followers);
  },
  encodeArgs(args, out) {
    out.push(args.before, encodeInt("since", args.since), args.after, encodeInt("at", args.at));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "changed":
        expectFields(fields, 0);
        return { status: "changed" };
      default:
        throw new UnexpectedReplyError("one of ok, changed", reply);
    }
  },
};

export interface OpenKeys {
  /** sorted set: activity ids by time (us), and the mark: `!b<token>` while it is filled, then `!<time>`: all later entries are here */
  readonly inbox: Arg;
}

export interface OpenArgs {
  readonly token: string;
  readonly activeMs: number;
}

export type OpenResult = string;

/** Begins an inbox, so that entries are pushed to it from now on, and returns its mark: the last member, at +inf. */
export const open: Script<OpenKeys, OpenArgs, OpenResult> = {
  class: "idempotent",
  name: "feed.open",
  sha1: "994f768932e57b9bddc1a66be58b766ccfafbbcb",
  lua: `-- feed.open
local inbox = KEYS[1]
local token, activeMs = ARGV[1], tonumber(ARGV[2])
local last = redis.call('ZRANGE', inbox, -1, -1)[1]
if not last or string.sub(last, 1, 1) ~= '!' then
  last = '!b' .. token
  redis.call('ZADD', inbox, '+inf', last)
end
redis.call('PEXPIRE', inbox, activeMs)
return last
`,
  encodeKeys(keys, out) {
    out.push(keys.inbox);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("activeMs", args.activeMs));
  },
  decode(reply) {
    return decodeText(reply);
  },
};

export interface OutboxKeys {
  /** sorted set: activity ids by time (us) */
  readonly outbox: Arg;
  /** hash: buckets (n), followers (c), mode (m), since when (s, us) */
  readonly followers: Arg;
}

export interface OutboxArgs {
  readonly id: Arg;
  readonly score: number;
  readonly size: number;
  readonly keepMs: number;
}

export type OutboxResult =
  | { readonly status: "ok"; readonly buckets: number; readonly count: number; readonly mode: string; readonly since: number };

/** Adds an entry to its author's outbox, and returns what is known of those who follow. */
export const outbox: Script<OutboxKeys, OutboxArgs, OutboxResult> = {
  class: "idempotent",
  name: "feed.outbox",
  sha1: "3d5521acbc09d33286543ee530fd57833e9c768a",
  lua: `-- feed.outbox
local outbox, followers = KEYS[1], KEYS[2]
local id, score, size, keepMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZADD', outbox, score, id)
redis.call('ZREMRANGEBYRANK', outbox, 0, -size - 1)
redis.call('PEXPIRE', outbox, keepMs)
local known = redis.call('HMGET', followers, 'n', 'c', 'm', 's')
return {'ok', known[1] or '1', known[2] or '0', known[3] or 'push', known[4] or '0'}
`,
  encodeKeys(keys, out) {
    out.push(keys.outbox, keys.followers);
  },
  encodeArgs(args, out) {
    out.push(args.id, encodeInt("score", args.score), encodeInt("size", args.size), encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 4);
        return { status: "ok", buckets: decodeInt(fields[1]), count: decodeInt(fields[2]), mode: decodeText(fields[3]), since: decodeInt(fields[4]) };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface PostKeys {
  readonly item: Arg;
}

export interface PostArgs {
  readonly bytes: Arg;
  readonly keepMs: number;
}

export type PostResult =
  | { readonly status: "ok" }
  | { readonly status: "known"; readonly bytes: Buffer }
  | { readonly status: "deleted" };

/** Stores an activity, unless there is one under its id, or was one that has been deleted. */
export const post: Script<PostKeys, PostArgs, PostResult> = {
  class: "idempotent",
  name: "feed.post",
  sha1: "c813b82def1994f5cd2d36020fd2c05822bed4be",
  lua: `-- feed.post
local item = KEYS[1]
local bytes, keepMs = ARGV[1], tonumber(ARGV[2])
local found = redis.call('GET', item)
if found and string.sub(found, 1, 4) == string.char(0, 0, 0, 0) then return {'deleted'} end
if found then return {'known', found} end
redis.call('SET', item, bytes, 'PX', keepMs)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.item);
  },
  encodeArgs(args, out) {
    out.push(args.bytes, encodeInt("keepMs", args.keepMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "known":
        expectFields(fields, 1);
        return { status: "known", bytes: decodeBytes(fields[1]) };
      case "deleted":
        expectFields(fields, 0);
        return { status: "deleted" };
      default:
        throw new UnexpectedReplyError("one of ok, known, deleted", reply);
    }
  },
};

export interface RecountKeys {
  readonly followers: Arg;
}

export interface RecountArgs {
  readonly before: number;
  readonly count: number;
  /** before */
  readonly buckets: number;
}

export type RecountResult =
  | { readonly status: "ok" };

/** Corrects the number of followers by those that were found, unless it has changed meanwhile, or a bucket was added: whoever went there was met twice. */
export const recount: Script<RecountKeys, RecountArgs, RecountResult> = {
  class: "idempotent",
  name: "feed.recount",
  sha1: "f5774f3023260a865f537163cb9e7dc7bc497335",
  lua: `-- feed.recount
local followers = KEYS[1]
local before, count, buckets = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', followers, 'c', 'n')
if tonumber(known[1] or 0) == before and tonumber(known[2] or 1) == buckets then redis.call('HSET', followers, 'c', count) end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.followers);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("before", args.before), encodeInt("count", args.count), encodeInt("buckets", args.buckets));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface SplitKeys {
  readonly followers: Arg;
  readonly source: Arg;
  readonly target: Arg;
}

export interface SplitArgs {
  /** before */
  readonly buckets: number;
  /** of the hashes that are in `source` */
  readonly modulus: number;
}

export type SplitResult = number;

/** Adds a bucket: about half of the followers of one go there (linear hashing, Litwin 1980), so that all stay small. */
export const split: Script<SplitKeys, SplitArgs, SplitResult> = {
  class: "idempotent",
  name: "feed.split",
  sha1: "80f49cb38d18b8fc827c9ea736b74cb891d4c35e",
  lua: `-- feed.split
local followers, source, target = KEYS[1], KEYS[2], KEYS[3]
local buckets, modulus = tonumber(ARGV[1]), tonumber(ARGV[2])
local n = tonumber(redis.call('HGET', followers, 'n') or 1)
if n ~= buckets then return n end
for _, follower in ipairs(redis.call('ZRANGE', source, 0, -1)) do
  if tonumber(string.sub(redis.sha1hex(follower), 1, 8), 16) % (2 * modulus) == buckets then
    redis.call('ZREM', source, follower)
    redis.call('ZADD', target, 0, follower)
  end
end
redis.call('HSET', followers, 'n', buckets + 1)
return buckets + 1
`,
  encodeKeys(keys, out) {
    out.push(keys.followers, keys.source, keys.target);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("buckets", args.buckets), encodeInt("modulus", args.modulus));
  },
  decode(reply) {
    return decodeInt(reply);
  },
};

export interface SweepKeys {
  readonly inbox: Arg;
}

export interface SweepArgs {
  readonly size: number;
  readonly ids: readonly Arg[];
}

export type SweepResult =
  | { readonly status: "ok" };

/** Takes entries out of an inbox. From then on it is not full, so its mark says down to where it is complete. */
export const sweep: Script<SweepKeys, SweepArgs, SweepResult> = {
  class: "idempotent",
  name: "feed.sweep",
  sha1: "5e8869193c8dadad23292872cd4cfcdc6bd437b7",
  lua: `-- feed.sweep
local inbox = KEYS[1]
local size = tonumber(ARGV[1])
local ids = {}
for i = 2, #ARGV do ids[i - 1] = ARGV[i] end
local mark = redis.call('ZRANGE', inbox, -1, -1)[1]
if not mark or string.sub(mark, 1, 1) ~= '!' then return {'ok'} end
local floor = tonumber(string.sub(mark, 2))
local before = floor
if floor and redis.call('ZCARD', inbox) > size then
  floor = math.max(floor, tonumber(redis.call('ZRANGE', inbox, 0, 0, 'WITHSCORES')[2]))
end
redis.call('ZREM', inbox, unpack(ids))
if floor ~= before then
  redis.call('ZADD', inbox, '+inf', '!' .. string.format('%.0f', floor))
  redis.call('ZREM', inbox, mark)
end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.inbox);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("size", args.size));
    for (const each of args.ids) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};

export interface WithdrawKeys {
  readonly named: Arg;
  readonly group: Arg;
}

export interface WithdrawArgs {
  readonly id: Arg;
  readonly member: Arg;
}

export type WithdrawResult =
  | { readonly status: "ok" };

/** Takes a deleted activity out of a group; a group that is empty goes. */
export const withdraw: Script<WithdrawKeys, WithdrawArgs, WithdrawResult> = {
  class: "idempotent",
  name: "feed.withdraw",
  sha1: "545a564a478a2e1fc6ccf85def907402ea3c4e85",
  lua: `-- feed.withdraw
local named, group = KEYS[1], KEYS[2]
local id, member = ARGV[1], ARGV[2]
redis.call('ZREM', group, id)
local newest = redis.call('ZRANGE', group, -1, -1, 'WITHSCORES')
if newest[1] and newest[1] ~= '!n' then
  redis.call('ZADD', named, 'XX', newest[2], member)
else
  redis.call('DEL', group)
  redis.call('ZREM', named, member)
end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.named, keys.group);
  },
  encodeArgs(args, out) {
    out.push(args.id, args.member);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      default:
        throw new UnexpectedReplyError("one of ok", reply);
    }
  },
};
