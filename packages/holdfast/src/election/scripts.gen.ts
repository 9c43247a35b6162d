// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBytes, decodeInt, decodeRows, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
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

const TERM = `local TERM_TTL_MS = 86400000
local ACCEPT_MS = 1000
local function boundedTtl(key, mostMs)
  local leftMs = redis.call('PTTL', key)
  if leftMs >= 0 and leftMs <= mostMs then return leftMs end
  redis.call('PEXPIRE', key, mostMs)
  return mostMs
end
local function lastTerm(term)
  local last, block = string.match(redis.call('GET', term) or '0', '^(%d+):?(%d*)$')
  local blockMs = tonumber(block)
  if not blockMs then return tonumber(last), 0 end
  return tonumber(last), boundedTtl(term, TERM_TTL_MS + blockMs) - TERM_TTL_MS
end
local function nextTerm(term)
  local last = lastTerm(term)
  return string.format('%.0f', math.max(last + 1, nowMicros()))
end
local function markLed(term, number, blockMs)
  redis.call('SET', term, string.format('%s:%.0f', number, blockMs), 'PX', TERM_TTL_MS + blockMs)
end
`;

const CANDIDATES = `local MAX_PAUSE_MS = 30000
local CANDIDATE_GRACE_MS = 5000
local MAX_PER_CALL = 100
local function expireNoEarlier(key, ttlMs)
  if redis.call('PEXPIRE', key, ttlMs, 'NX') == 0 then redis.call('PEXPIRE', key, ttlMs, 'GT') end
end
local function candidateOf(candidates, token)
  local untilMs, since, id = string.match(redis.call('HGET', candidates, token) or '', '^(%d+):(%d+):(.*)$')
  return tonumber(untilMs), tonumber(since), id
end
local function isLive(untilMs)
  return untilMs ~= nil and untilMs > now()
end
local function joinCandidates(queue, candidates, token, id, since, leftMs)
  if since == 0 then since = tonumber(redis.call('ZSCORE', queue, token) or 0) end
  if since == 0 then
    local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
    since = math.max(nowMicros(), (last or 0) + 1)
  end
  redis.call('ZADD', queue, since, token)
  local pauseMs = math.min(leftMs + ACCEPT_MS * redis.call('ZRANK', queue, token), MAX_PAUSE_MS)
  local ttlMs = pauseMs + CANDIDATE_GRACE_MS
  redis.call('HSET', candidates, token, string.format('%.0f:%.0f:', now() + ttlMs, since / 1000) .. id)
  expireNoEarlier(queue, MAX_PAUSE_MS + CANDIDATE_GRACE_MS)
  expireNoEarlier(candidates, MAX_PAUSE_MS + CANDIDATE_GRACE_MS)
  return since, pauseMs
end
local function leaveCandidates(queue, candidates, token)
  redis.call('ZREM', queue, token)
  redis.call('HDEL', candidates, token)
end
local function firstLive(queue, candidates, wanted)
  for _, token in ipairs(redis.call('ZRANGE', queue, 0, MAX_PER_CALL - 1)) do
    local untilMs, _, id = candidateOf(candidates, token)
    if not isLive(untilMs) then leaveCandidates(queue, candidates, token)
    elseif wanted == '' or id == wanted then return token, id end
  end
end
local MAX_WATCHING = 3
local function handOver(leader, term, queue, candidates, token, wakeChannel)
  local number = nextTerm(term)
  redis.call('DEL', leader)
  redis.call('HSET', leader, 'token', token, 'term', number)
  redis.call('PEXPIRE', leader, ACCEPT_MS)
  redis.call('SET', term, number, 'PX', TERM_TTL_MS)
  leaveCandidates(queue, candidates, token)
  local message = 'handed ' .. token
  for _, behind in ipairs(redis.call('ZRANGE', queue, 0, MAX_WATCHING - 1)) do message = message .. ' ' .. behind end
  redis.call('PUBLISH', wakeChannel, message)
end
`;

export interface CampaignKeys {
  readonly leader: Arg;
  readonly term: Arg;
  readonly queue: Arg;
  readonly candidates: Arg;
  /** of this candidate: it has resigned or given up, and this is a copy that was delayed on its way */
  readonly ended: Arg;
}

export interface CampaignArgs {
  readonly token: string;
  readonly id: string;
  readonly value: Arg;
  readonly ttlMs: number;
  readonly lockDelayMs: number;
  readonly queued: boolean;
  readonly since: number;
  readonly wakeChannel: string;
  /** of those who observe */
  readonly channel: string;
}

export type CampaignResult =
  | { readonly status: "acquired"; readonly term: number; readonly since: number }
  | { readonly status: "busy"; readonly ttlMs: number; readonly since: number };

/**
 * Take the lead if it was handed over to this candidate, or if nobody has it and no other candidate was here before; else, if
 * asked to, join the candidates.
 */
export const campaign: Script<CampaignKeys, CampaignArgs, CampaignResult> = {
  class: "dedupable",
  name: "election.campaign",
  sha1: "c8ab8537a6cefa97079367ea70114164bd9e60b4",
  lua: `-- election.campaign
${NOW}${TERM}${CANDIDATES}local leader, term, queue, candidates, ended = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, id, value, ttlMs, lockDelayMs, queued, since, wakeChannel, channel = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1', tonumber(ARGV[7]), ARGV[8], ARGV[9]
if redis.call('EXISTS', ended) == 1 then return {'busy', 0, since} end
local function busy(leftMs)
  if not queued then return {'busy', leftMs, since} end
  local place, pauseMs = joinCandidates(queue, candidates, token, id, since, leftMs)
  return {'busy', pauseMs, place}
end
local state = redis.call('HMGET', leader, 'token', 'term', 'since', 'ttl')
local holder, number, begun, longestMs = state[1], state[2], state[3], tonumber(state[4]) or ACCEPT_MS
if holder and holder ~= token then return busy(boundedTtl(leader, longestMs)) end
if not holder then
  local _, leftMs = lastTerm(term)
  if leftMs > 0 then return busy(leftMs) end
  local first = firstLive(queue, candidates, '')
  if first and first ~= token then
    handOver(leader, term, queue, candidates, first, wakeChannel)
    return busy(ACCEPT_MS)
  end
  number = nextTerm(term)
end
if not begun then begun = string.format('%.0f', now()) end
redis.call('HSET', leader, 'token', token, 'term', number, 'id', id, 'since', begun, 'ttl', ttlMs)
redis.call('HSETNX', leader, 'value', value)
redis.call('PEXPIRE', leader, ttlMs)
markLed(term, number, ttlMs + lockDelayMs)
leaveCandidates(queue, candidates, token)
redis.call('PUBLISH', channel, number)
return {'acquired', tonumber(number), tonumber(begun)}
`,
  encodeKeys(keys, out) {
    out.push(keys.leader, keys.term, keys.queue, keys.candidates, keys.ended);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.id, args.value, encodeInt("ttlMs", args.ttlMs), encodeInt("lockDelayMs", args.lockDelayMs), encodeBool(args.queued), encodeInt("since", args.since), args.wakeChannel, args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "acquired":
        expectFields(fields, 2);
        return { status: "acquired", term: decodeInt(fields[1]), since: decodeInt(fields[2]) };
      case "busy":
        expectFields(fields, 2);
        return { status: "busy", ttlMs: decodeInt(fields[1]), since: decodeInt(fields[2]) };
      default:
        throw new UnexpectedReplyError("one of acquired, busy", reply);
    }
  },
};

export interface LeaderKeys {
  readonly leader: Arg;
}

export type LeaderArgs = None;

export type LeaderResult =
  | { readonly status: "none" }
  | { readonly status: "led"; readonly term: number; readonly id: string; readonly value: Buffer; readonly since: number; readonly ttlMs: number };

/** Who leads, and for how long at least unless it resigns; not who was handed the lead and has not taken it yet. */
export const leader: Script<LeaderKeys, LeaderArgs, LeaderResult> = {
  class: "read",
  name: "election.leader",
  sha1: "773d4fa5a389b81e53a2e4ee52afdb400d26546d",
  lua: `-- election.leader
local leader = KEYS[1]
local state = redis.call('HMGET', leader, 'term', 'id', 'value', 'since')
if not state[2] then return {'none'} end
return {'led', state[1], state[2], state[3] or '', state[4], redis.call('PTTL', leader)}
`,
  encodeKeys(keys, out) {
    out.push(keys.leader);
  },
  encodeArgs() {},
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "none":
        expectFields(fields, 0);
        return { status: "none" };
      case "led":
        expectFields(fields, 5);
        return { status: "led", term: decodeInt(fields[1]), id: decodeText(fields[2]), value: decodeBytes(fields[3]), since: decodeInt(fields[4]), ttlMs: decodeInt(fields[5]) };
      default:
        throw new UnexpectedReplyError("one of none, led", reply);
    }
  },
};

export interface ListKeys {
  readonly queue: Arg;
  readonly candidates: Arg;
}

export interface ListArgs {
  readonly limit: number;
}

export type ListResult = { readonly id: string; readonly since: number }[];

/** The live candidates in their order. */
export const list: Script<ListKeys, ListArgs, ListResult> = {
  class: "read",
  name: "election.list",
  sha1: "dc1669f949760e05482d5d6246ae7357a896418e",
  lua: `-- election.list
${NOW}${TERM}${CANDIDATES}local queue, candidates = KEYS[1], KEYS[2]
local limit = tonumber(ARGV[1])
local rows = {}
for _, token in ipairs(redis.call('ZRANGE', queue, 0, limit - 1)) do
  local untilMs, since, id = candidateOf(candidates, token)
  if isLive(untilMs) then
    rows[#rows + 1] = id
    rows[#rows + 1] = since
  end
end
return rows
`,
  encodeKeys(keys, out) {
    out.push(keys.queue, keys.candidates);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("limit", args.limit));
  },
  decode(reply) {
    return decodeRows(reply, 2, (flat, at) => ({ id: decodeText(flat[at]), since: decodeInt(flat[at + 1]) }));
  },
};

export interface ProclaimKeys {
  readonly leader: Arg;
}

export interface ProclaimArgs {
  readonly token: string;
  readonly value: Arg;
  readonly channel: string;
}

export type ProclaimResult =
  | { readonly status: "ok" }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/** Change the value of who leads. */
export const proclaim: Script<ProclaimKeys, ProclaimArgs, ProclaimResult> = {
  class: "idempotent",
  name: "election.proclaim",
  sha1: "6f63d78a2a642a248b1a6d6ab653d0813a06a203",
  lua: `-- election.proclaim
local leader = KEYS[1]
local token, value, channel = ARGV[1], ARGV[2], ARGV[3]
local state = redis.call('HMGET', leader, 'token', 'term')
if not state[1] then return {'expired'} end
if state[1] ~= token then return {'stolen'} end
redis.call('HSET', leader, 'value', value)
redis.call('PUBLISH', channel, state[2])
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.leader);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.value, args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      case "stolen":
        expectFields(fields, 0);
        return { status: "stolen" };
      default:
        throw new UnexpectedReplyError("one of ok, expired, stolen", reply);
    }
  },
};

export interface RenewKeys {
  readonly leader: Arg;
  readonly term: Arg;
}

export interface RenewArgs {
  readonly token: string;
  readonly ttlMs: number;
  readonly lockDelayMs: number;
}

export type RenewResult =
  | { readonly status: "extended" }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/** Keep the lead for `ttlMs` from now. Never takes it. */
export const renew: Script<RenewKeys, RenewArgs, RenewResult> = {
  class: "idempotent",
  name: "election.renew",
  sha1: "a3c8ecc5e88643fa900e7f45eb5ecb44f7afba79",
  lua: `-- election.renew
${NOW}${TERM}local leader, term = KEYS[1], KEYS[2]
local token, ttlMs, lockDelayMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local state = redis.call('HMGET', leader, 'token', 'term')
if not state[1] then return {'expired'} end
if state[1] ~= token then return {'stolen'} end
redis.call('PEXPIRE', leader, ttlMs)
local blockMs = ttlMs + lockDelayMs
if redis.call('PEXPIRE', term, TERM_TTL_MS + blockMs) == 0 then markLed(term, state[2], blockMs) end
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.leader, keys.term);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("ttlMs", args.ttlMs), encodeInt("lockDelayMs", args.lockDelayMs));
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

export interface ResignKeys {
  readonly leader: Arg;
  readonly term: Arg;
  readonly queue: Arg;
  readonly candidates: Arg;
  /** of this candidate */
  readonly ended: Arg;
}

export interface ResignArgs {
  readonly token: string;
  /** the id of who is to follow; empty: the first */
  readonly to: string;
  /** a request whose fate is unknown or which waits no longer */
  readonly abandon: boolean;
  readonly wakeChannel: string;
  readonly channel: string;
}

export type ResignResult =
  | { readonly status: "released"; readonly next: string }
  | { readonly status: "expired" }
  | { readonly status: "stolen" };

/**
 * Give up the lead, or the candidacy, and hand over to the first live candidate, or to the one that is named.
 * What takes no memory comes first: then the server lets the rest run although its memory is full.
 */
export const resign: Script<ResignKeys, ResignArgs, ResignResult> = {
  class: "dedupable",
  name: "election.resign",
  sha1: "463c6fa17e3cc095717e0db851b9f00d6e636d9e",
  lua: `-- election.resign
${NOW}${TERM}${CANDIDATES}local leader, term, queue, candidates, ended = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, to, abandon, wakeChannel, channel = ARGV[1], ARGV[2], ARGV[3] == '1', ARGV[4], ARGV[5]
local ENDED_TTL_MS = 60000
local function successor()
  local token, id = firstLive(queue, candidates, to)
  if not token and to ~= '' then return firstLive(queue, candidates, '') end
  return token, id
end
local done = redis.call('GET', ended)
if done then return {'released', done} end
local state = redis.call('HMGET', leader, 'token', 'term')
local holder, number = state[1], state[2]
if holder == token then
  redis.call('DEL', leader)
  redis.call('SET', term, number, 'PX', TERM_TTL_MS)
  local following, id = successor()
  if following then handOver(leader, term, queue, candidates, following, wakeChannel) end
  redis.call('SET', ended, id or '', 'PX', ENDED_TTL_MS)
  redis.call('PUBLISH', channel, number)
  return {'released', id or ''}
end
if abandon then
  leaveCandidates(queue, candidates, token)
  redis.call('SET', ended, '', 'PX', ENDED_TTL_MS)
end
if not holder then return {'expired'} end
return {'stolen'}
`,
  encodeKeys(keys, out) {
    out.push(keys.leader, keys.term, keys.queue, keys.candidates, keys.ended);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.to, encodeBool(args.abandon), args.wakeChannel, args.channel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "released":
        expectFields(fields, 1);
        return { status: "released", next: decodeText(fields[1]) };
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
