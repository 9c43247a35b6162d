// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeInt } from "../core/script/encode.ts";
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

const LOG = `local function offsetsOf(entry)
  local last, epoch = string.match(entry[1], '^(%d+)-(%d+)$')
  return tonumber(last) - tonumber(entry[2][4]) + 1, tonumber(last), tonumber(epoch)
end
local function logState(log, meta, producer)
  local known = redis.call('HMGET', meta, 'head', 'epoch', 'at', 'first', 'trimmed', 'p:' .. producer)
  if known[1] then
    return {
      head = tonumber(known[1]), epoch = tonumber(known[2]), at = tonumber(known[3]), first = tonumber(known[4]),
      trimmed = tonumber(known[5]), record = known[6],
    }
  end
  local state = {head = 0, epoch = now(), at = 0, first = 1, trimmed = 0}
  if redis.call('EXISTS', log) == 0 then return state end
  local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  if last then
    local _
    _, state.head, state.epoch = offsetsOf(last)
    state.at = tonumber(last[2][2])
    state.first = offsetsOf(redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1])
    return state
  end
  local info = redis.call('XINFO', 'STREAM', log)
  for at = 1, #info, 2 do
    if info[at] == 'last-generated-id' then
      local head, epoch = string.match(info[at + 1], '^(%d+)-(%d+)$')
      state.head, state.epoch, state.first = tonumber(head), tonumber(epoch), tonumber(head) + 1
    end
  end
  return state
end
local function appendPack(log, meta, live, state, count, blob, producer, number, liveBytes)
  local format = string.format
  local first, head = state.head + 1, state.head + count
  local at = math.max(now(), state.at)
  local epochText, firstText, atText = format('%d', state.epoch), format('%d', first), format('%d', at)
  local headText, countText = format('%d', head), format('%d', count)
  redis.call('XADD', log, headText .. '-' .. epochText, 't', atText, 'n', countText, 'm', blob)
  local record = format('%d', number) .. ' ' .. epochText .. ' ' .. firstText .. ' ' .. atText
  if state.record == nil then
    redis.call('HSET', meta, 'head', headText, 'epoch', epochText, 'at', atText, 'first', format('%d', state.first),
      'trimmed', format('%d', state.trimmed), 'p:' .. producer, record)
  else
    redis.call('HSET', meta, 'head', headText, 'at', atText, 'p:' .. producer, record)
  end
  local news = epochText .. ' ' .. firstText .. ' ' .. countText .. ' ' .. atText .. '\\n'
  redis.pcall('SPUBLISH', live, #blob <= liveBytes and news .. blob or news)
  state.head, state.at = head, at
  return first, at
end
`;

export interface ExtendKeys {
  readonly state: Arg;
  readonly log: Arg;
  readonly meta: Arg;
}

export interface ExtendArgs {
  readonly token: string;
  readonly leaseMs: number;
  readonly ttlMs: number;
}

export type ExtendResult =
  | { readonly status: "extended" }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/** Keeps a stream for its producer. Never makes one of it again. */
export const extend: Script<ExtendKeys, ExtendArgs, ExtendResult> = {
  class: "idempotent",
  name: "stream.extend",
  sha1: "f08de955e7627c4dd69ce52155ac651d6eb99fb0",
  lua: `-- stream.extend
${NOW}local state, log, meta = KEYS[1], KEYS[2], KEYS[3]
local token, leaseMs, ttlMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call('HMGET', state, 'status', 'token')
if not held[1] then return {'expired'} end
if held[2] ~= token then return {'stolen'} end
if held[1] ~= 'open' then return {'expired'} end
redis.call('HSET', state, 'until', now() + leaseMs)
for _, key in ipairs({state, log, meta}) do redis.call('PEXPIRE', key, ttlMs) end
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.log, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("leaseMs", args.leaseMs), encodeInt("ttlMs", args.ttlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "extended":
        expectFields(fields, 0);
        return { status: "extended" };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      case "stolen":
        expectFields(fields, 0);
        return { status: "stolen" };
      default:
        throw new UnexpectedReplyError("one of extended, expired, stolen", reply);
    }
  },
};

export interface ReleaseKeys {
  readonly state: Arg;
}

export interface ReleaseArgs {
  readonly token: string;
}

export type ReleaseResult =
  | { readonly status: "released" }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/** Leaves a stream that is not over to the next producer. */
export const release: Script<ReleaseKeys, ReleaseArgs, ReleaseResult> = {
  class: "idempotent",
  name: "stream.release",
  sha1: "7691f2d26878a6fe226029a4bfe6c5f855facd9c",
  lua: `-- stream.release
${NOW}local state = KEYS[1]
local token = ARGV[1]
local held = redis.call('HMGET', state, 'status', 'token')
if not held[1] then return {'expired'} end
if held[2] ~= token then return {'stolen'} end
redis.call('HSET', state, 'until', now())
return {'released'}
`,
  encodeKeys(keys, out) {
    out.push(keys.state);
  },
  encodeArgs(args, out) {
    out.push(args.token);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "released":
        expectFields(fields, 0);
        return { status: "released" };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      case "stolen":
        expectFields(fields, 0);
        return { status: "stolen" };
      default:
        throw new UnexpectedReplyError("one of released, expired, stolen", reply);
    }
  },
};

export interface SealKeys {
  readonly state: Arg;
  readonly log: Arg;
  readonly meta: Arg;
  /** sharded channel */
  readonly live: Arg;
}

export interface SealArgs {
  /** how long another producer has time to go on */
  readonly takeoverMs: number;
  /** the frame that says aborted */
  readonly blob: Arg;
  readonly ttlMs: number;
  readonly liveBytes: number;
}

export type SealResult =
  | { readonly status: "alive"; readonly leftMs: number }
  | { readonly status: "over"; readonly as: string; readonly head: number; readonly epoch: number }
  | { readonly status: "missing" };

/** Says how a stream is, to a reader that hears nothing; one whose producer has died is aborted by that, for all readers. */
export const seal: Script<SealKeys, SealArgs, SealResult> = {
  class: "idempotent",
  name: "stream.seal",
  sha1: "b7810050b1eaf77fac4425fdf21be296c326c01e",
  lua: `-- stream.seal
${NOW}${LOG}local state, log, meta, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local takeoverMs, blob, ttlMs, liveBytes = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', state, 'status', 'until')
local is = logState(log, meta, 'w')
if not held[1] then return {'missing'} end
if held[1] ~= 'open' then return {'over', held[1], is.head, is.epoch} end
local leftMs = tonumber(held[2]) + takeoverMs - now()
if leftMs > 0 then return {'alive', leftMs} end
appendPack(log, meta, live, is, 1, blob, 'w', is.head + 1, liveBytes)
redis.call('HSET', state, 'status', 'aborted')
redis.call('HDEL', state, 'token')
for _, key in ipairs({state, log, meta}) do redis.call('PEXPIRE', key, ttlMs) end
return {'over', 'aborted', is.head, is.epoch}
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.log, keys.meta, keys.live);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("takeoverMs", args.takeoverMs), args.blob, encodeInt("ttlMs", args.ttlMs), encodeInt("liveBytes", args.liveBytes));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "alive":
        expectFields(fields, 1);
        return { status: "alive", leftMs: decodeInt(fields[1]) };
      case "over":
        expectFields(fields, 3);
        return { status: "over", as: decodeText(fields[1]), head: decodeInt(fields[2]), epoch: decodeInt(fields[3]) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of alive, over, missing", reply);
    }
  },
};

export interface StartKeys {
  readonly state: Arg;
  readonly log: Arg;
  readonly meta: Arg;
}

export interface StartArgs {
  readonly token: string;
  readonly leaseMs: number;
  readonly ttlMs: number;
}

export type StartResult =
  | { readonly status: "ok"; readonly fence: number; readonly epoch: number; readonly head: number }
  | { readonly status: "busy"; readonly leftMs: number }
  | { readonly status: "over"; readonly as: string };

/**
 * Makes the caller the producer of a stream that has none, or whose producer has not renewed in time.
 * The same token gets the same answer again. What is over stays over. The first one gives the log its epoch.
 */
export const start: Script<StartKeys, StartArgs, StartResult> = {
  class: "dedupable",
  name: "stream.start",
  sha1: "898482fad75fabe81fdbd6e3462efc547615837f",
  lua: `-- stream.start
${NOW}${LOG}local state, log, meta = KEYS[1], KEYS[2], KEYS[3]
local token, leaseMs, ttlMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call('HMGET', state, 'status', 'token', 'fence', 'until')
local status, holder, fence, untilMs = unpack(held)
if status and status ~= 'open' then return {'over', status} end
local leftMs = (tonumber(untilMs) or 0) - now()
if status and holder ~= token and leftMs > 0 then return {'busy', leftMs} end
if not status then redis.call('DEL', log, meta) end
if not status or holder ~= token then fence = string.format('%.0f', math.max((tonumber(fence) or 0) + 1, nowMicros())) end
local is = logState(log, meta, 'w')
redis.call('HSET', state, 'status', 'open', 'token', token, 'fence', fence, 'until', now() + leaseMs)
redis.call('HSETNX', state, 'bytes', 0)
redis.call('HSET', meta, 'head', is.head, 'epoch', is.epoch, 'at', is.at, 'first', is.first, 'trimmed', is.trimmed)
for _, key in ipairs({state, log, meta}) do redis.call('PEXPIRE', key, ttlMs) end
return {'ok', fence, is.epoch, is.head}
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.log, keys.meta);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("leaseMs", args.leaseMs), encodeInt("ttlMs", args.ttlMs));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 3);
        return { status: "ok", fence: decodeInt(fields[1]), epoch: decodeInt(fields[2]), head: decodeInt(fields[3]) };
      case "busy":
        expectFields(fields, 1);
        return { status: "busy", leftMs: decodeInt(fields[1]) };
      case "over":
        expectFields(fields, 1);
        return { status: "over", as: decodeText(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, busy, over", reply);
    }
  },
};

export interface WriteKeys {
  readonly state: Arg;
  readonly log: Arg;
  readonly meta: Arg;
  /** sharded channel */
  readonly live: Arg;
}

export interface WriteArgs {
  readonly token: string;
  readonly epoch: number;
  /** offset of the first */
  readonly first: number;
  readonly count: number;
  readonly blob: Arg;
  /** of the stream from then on: open, end, aborted */
  readonly status: string;
  readonly maxBytes: number;
  readonly ttlMs: number;
  readonly liveBytes: number;
}

export type WriteResult =
  | { readonly status: "ok"; readonly at: number }
  | { readonly status: "full" }
  | { readonly status: "stale" };

/**
 * Appends what the producer wrote, and its end. A repetition changes nothing and is answered like the first time; so is a late copy.
 * `full`: it would be more than `maxBytes`, and nothing was appended; an end always fits. XADD is the first write.
 */
export const write: Script<WriteKeys, WriteArgs, WriteResult> = {
  class: "dedupable",
  name: "stream.write",
  sha1: "18835668635df947b8ad9dc4a5443a11c9ee96c6",
  lua: `-- stream.write
${NOW}${LOG}local state, log, meta, live = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, epoch, first, count, blob, status, maxBytes, ttlMs, liveBytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local held = redis.call('HMGET', state, 'status', 'token', 'bytes')
if held[2] ~= token then return {'stale'} end
local is = logState(log, meta, 'w')
if is.epoch ~= epoch then return {'stale'} end
if is.head >= first + count - 1 then return {'ok', tonumber(string.match(is.record or '', '%d+$') or is.at)} end
if held[1] ~= 'open' or is.head ~= first - 1 then return {'stale'} end
local bytes = tonumber(held[3]) + #blob
if status == 'open' and bytes > maxBytes then return {'full'} end
local _, at = appendPack(log, meta, live, is, count, blob, 'w', first, liveBytes)
redis.call('HSET', state, 'status', status, 'bytes', bytes)
for _, key in ipairs({state, log, meta}) do redis.call('PEXPIRE', key, ttlMs) end
return {'ok', at}
`,
  encodeKeys(keys, out) {
    out.push(keys.state, keys.log, keys.meta, keys.live);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("epoch", args.epoch), encodeInt("first", args.first), encodeInt("count", args.count), args.blob, args.status, encodeInt("maxBytes", args.maxBytes), encodeInt("ttlMs", args.ttlMs), encodeInt("liveBytes", args.liveBytes));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 1);
        return { status: "ok", at: decodeInt(fields[1]) };
      case "full":
        expectFields(fields, 0);
        return { status: "full" };
      case "stale":
        expectFields(fields, 0);
        return { status: "stale" };
      default:
        throw new UnexpectedReplyError("one of ok, full, stale", reply);
    }
  },
};
