// Generated from lua/*.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeBytes, decodeInt, decodeText, decodeUnion, expectFields } from "../core/script/decode.ts";
import { encodeBool, encodeInt } from "../core/script/encode.ts";
import type { BatchScript, None, Script } from "../core/script/script.ts";

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

const RECORD = `local function read(text)
  local state, fence, attempt, untilMs, leaseMs, waited, token, print, at =
    string.match(text, '^([rfve])(%d+) (%d+) (%d+) (%d+) ([01]) (%S+) (%S+)\\n()')
  if not state then error({err = 'WRONGTYPE the key holds no record of an idempotency'}) end
  return {
    state = state, fence = tonumber(fence), attempt = tonumber(attempt), untilMs = tonumber(untilMs),
    leaseMs = tonumber(leaseMs), waited = waited, token = token, print = print, at = at,
  }
end
local function written(it, payload)
  return string.format('%s%.0f %.0f %.0f %.0f %s %s %s\\n', it.state, it.fence, it.attempt, it.untilMs, it.leaseMs,
    it.waited, it.token, it.print) .. payload
end
local function replace(entry, it, payload, keepMs)
  redis.call('PEXPIRE', entry, keepMs)
  redis.call('SET', entry, written(it, payload), 'PX', keepMs)
end
local function leftOf(it)
  if it.state ~= 'r' then return 0 end
  return math.max(math.min(it.untilMs - now(), it.leaseMs), 0)
end
`;

export interface BeginKeys {
  readonly entry: Arg;
}

export interface BeginArgs {
  readonly token: string;
  /** hash of the fingerprint, or `-` */
  readonly print: string;
  readonly leaseMs: number;
  readonly ttlMs: number;
  /** wake this caller when the run has ended */
  readonly waits: boolean;
}

export type BeginResult =
  | { readonly status: "run"; readonly fence: number; readonly attempt: number }
  | { readonly status: "stored"; readonly kind: string; readonly payload: Buffer }
  | { readonly status: "busy"; readonly leftMs: number; readonly runner: string }
  | { readonly status: "mismatch" };

/** Begin to run a key, unless its outcome is stored or somebody else runs it. */
export const begin: BatchScript<BeginKeys, BeginArgs, BeginResult> = {
  class: "dedupable",
  name: "idempotency.begin",
  sha1: "d20eb7c31ae55ae8eb4058d36f3975a061c6eefa",
  lua: `-- idempotency.begin
${NOW}${RECORD}local entry = KEYS[1]
local token, print, leaseMs, ttlMs, waits = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
local found = redis.call('GET', entry)
local keepMs = math.max(ttlMs, leaseMs)
local last, attempt = 0, 0
if found then
  local it = read(found)
  if print ~= '-' and it.print ~= '-' and it.print ~= print then return {'mismatch'} end
  if it.state == 'v' or it.state == 'e' then return {'stored', it.state, string.sub(found, it.at)} end
  if it.token == token then
    if it.state == 'f' then return {'busy', 0, token} end
    it.untilMs, it.leaseMs = now() + leaseMs, leaseMs
    replace(entry, it, '', keepMs)
    return {'run', it.fence, it.attempt}
  end
  local leftMs = leftOf(it)
  if leftMs > 0 then
    local latest = now() + leftMs
    if (waits and it.waited == '0') or it.untilMs > latest then
      it.untilMs = latest
      if waits then it.waited = '1' end
      replace(entry, it, '', math.max(keepMs, leftMs))
    end
    return {'busy', leftMs, it.token}
  end
  last, attempt = it.fence, it.attempt
  if print == '-' then print = it.print end
end
local it = {
  state = 'r', fence = math.max(last + 1, nowMicros()), attempt = attempt + 1, untilMs = now() + leaseMs,
  leaseMs = leaseMs, waited = '0', token = token, print = print,
}
redis.call('SET', entry, written(it, ''), 'PX', keepMs)
return {'run', it.fence, it.attempt}
`,
  encodeKeys(keys, out) {
    out.push(keys.entry);
  },
  encodeArgs(args, out) {
    out.push(args.token, args.print, encodeInt("leaseMs", args.leaseMs), encodeInt("ttlMs", args.ttlMs), encodeBool(args.waits));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "run":
        expectFields(fields, 2);
        return { status: "run", fence: decodeInt(fields[1]), attempt: decodeInt(fields[2]) };
      case "stored":
        expectFields(fields, 2);
        return { status: "stored", kind: decodeText(fields[1]), payload: decodeBytes(fields[2]) };
      case "busy":
        expectFields(fields, 2);
        return { status: "busy", leftMs: decodeInt(fields[1]), runner: decodeText(fields[2]) };
      case "mismatch":
        expectFields(fields, 0);
        return { status: "mismatch" };
      default:
        throw new UnexpectedReplyError("one of run, stored, busy, mismatch", reply);
    }
  },
  most: 80,
  merged: {
    name: "idempotency.begin (merged)",
    sha1: "47166b0d7e3799a803dee3a7a706218950678de4",
    lua: `-- idempotency.begin
${NOW}${RECORD}local function run(keyAt, argAt)
  local entry = KEYS[keyAt + 1]
  local token, print, leaseMs, ttlMs, waits = ARGV[argAt + 1], ARGV[argAt + 2], tonumber(ARGV[argAt + 3]), tonumber(ARGV[argAt + 4]), ARGV[argAt + 5] == '1'
  local found = redis.call('GET', entry)
  local keepMs = math.max(ttlMs, leaseMs)
  local last, attempt = 0, 0
  if found then
    local it = read(found)
    if print ~= '-' and it.print ~= '-' and it.print ~= print then return {'mismatch'} end
    if it.state == 'v' or it.state == 'e' then return {'stored', it.state, string.sub(found, it.at)} end
    if it.token == token then
      if it.state == 'f' then return {'busy', 0, token} end
      it.untilMs, it.leaseMs = now() + leaseMs, leaseMs
      replace(entry, it, '', keepMs)
      return {'run', it.fence, it.attempt}
    end
    local leftMs = leftOf(it)
    if leftMs > 0 then
      local latest = now() + leftMs
      if (waits and it.waited == '0') or it.untilMs > latest then
        it.untilMs = latest
        if waits then it.waited = '1' end
        replace(entry, it, '', math.max(keepMs, leftMs))
      end
      return {'busy', leftMs, it.token}
    end
    last, attempt = it.fence, it.attempt
    if print == '-' then print = it.print end
  end
  local it = {
    state = 'r', fence = math.max(last + 1, nowMicros()), attempt = attempt + 1, untilMs = now() + leaseMs,
    leaseMs = leaseMs, waited = '0', token = token, print = print,
  }
  redis.call('SET', entry, written(it, ''), 'PX', keepMs)
  return {'run', it.fence, it.attempt}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 5 and 5 or 0
for keyAt = 0, #KEYS - 1, 1 do
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

export interface ExtendKeys {
  readonly entry: Arg;
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

/** Keep a run's lease for `leaseMs` from now. Never begins one. */
export const extend: Script<ExtendKeys, ExtendArgs, ExtendResult> = {
  class: "idempotent",
  name: "idempotency.extend",
  sha1: "75433a39960e2acf7978c66b6dc8c3bcf1a7031e",
  lua: `-- idempotency.extend
${NOW}${RECORD}local entry = KEYS[1]
local token, leaseMs, ttlMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local found = redis.call('GET', entry)
if not found then return {'expired'} end
local it = read(found)
if it.token ~= token then return {'stolen'} end
if it.state ~= 'r' then return {'expired'} end
it.untilMs, it.leaseMs = now() + leaseMs, leaseMs
replace(entry, it, '', math.max(ttlMs, leaseMs))
return {'extended'}
`,
  encodeKeys(keys, out) {
    out.push(keys.entry);
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

export interface FinishKeys {
  readonly entry: Arg;
}

export interface FinishArgs {
  readonly token: string;
  readonly fence: number;
  readonly attempt: number;
  readonly print: string;
  /** v value, e error, f failed, u failed and the next may have another fingerprint */
  readonly outcome: string;
  readonly payload: Arg;
  readonly ttlMs: number;
  /** store it also where the key is gone */
  readonly create: boolean;
  readonly wakeChannel: string;
}

export type FinishResult =
  | { readonly status: "ok" }
  | { readonly status: "stored"; readonly kind: string; readonly payload: Buffer }
  | { readonly status: "stolen" }
  | { readonly status: "expired" };

/** End a run: store its outcome, or leave the key to the next caller. Never touches what another has begun since. */
export const finish: BatchScript<FinishKeys, FinishArgs, FinishResult> = {
  class: "dedupable",
  name: "idempotency.finish",
  sha1: "2b1570d4f14b6d4f0ee1176eb308c6788d0bfd14",
  lua: `-- idempotency.finish
${RECORD}local entry = KEYS[1]
local token, fence, attempt, print, outcome, payload, ttlMs, create, wakeChannel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7]), ARGV[8] == '1', ARGV[9]
local stores = outcome == 'v' or outcome == 'e'
local found = redis.call('GET', entry)
if not found then
  if not (stores and create) then return {'expired'} end
  local it = {state = outcome, fence = fence, attempt = attempt, untilMs = 0, leaseMs = 0, waited = '0', token = token, print = print}
  redis.call('SET', entry, written(it, payload), 'PX', ttlMs)
  return {'ok'}
end
local it = read(found)
if it.token ~= token then
  if it.state == 'v' or it.state == 'e' then return {'stored', it.state, string.sub(found, it.at)} end
  return {'stolen'}
end
if it.state ~= 'r' then return {'ok'} end
local wakes = it.waited == '1'
if outcome == 'u' then it.print = '-' end
it.state, it.untilMs, it.leaseMs, it.waited = stores and outcome or 'f', 0, 0, '0'
replace(entry, it, payload, ttlMs)
if wakes then redis.call('PUBLISH', wakeChannel, token) end
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.entry);
  },
  encodeArgs(args, out) {
    out.push(args.token, encodeInt("fence", args.fence), encodeInt("attempt", args.attempt), args.print, args.outcome, args.payload, encodeInt("ttlMs", args.ttlMs), encodeBool(args.create), args.wakeChannel);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "ok":
        expectFields(fields, 0);
        return { status: "ok" };
      case "stored":
        expectFields(fields, 2);
        return { status: "stored", kind: decodeText(fields[1]), payload: decodeBytes(fields[2]) };
      case "stolen":
        expectFields(fields, 0);
        return { status: "stolen" };
      case "expired":
        expectFields(fields, 0);
        return { status: "expired" };
      default:
        throw new UnexpectedReplyError("one of ok, stored, stolen, expired", reply);
    }
  },
  most: 80,
  merged: {
    name: "idempotency.finish (merged)",
    sha1: "632905f9fed3a2578ae58e32396f21c7d84165f7",
    lua: `-- idempotency.finish
${RECORD}local function run(keyAt, argAt)
  local entry = KEYS[keyAt + 1]
  local token, fence, attempt, print, outcome, payload, ttlMs, create, wakeChannel = ARGV[argAt + 1], tonumber(ARGV[argAt + 2]), tonumber(ARGV[argAt + 3]), ARGV[argAt + 4], ARGV[argAt + 5], ARGV[argAt + 6], tonumber(ARGV[argAt + 7]), ARGV[argAt + 8] == '1', ARGV[argAt + 9]
  local stores = outcome == 'v' or outcome == 'e'
  local found = redis.call('GET', entry)
  if not found then
    if not (stores and create) then return {'expired'} end
    local it = {state = outcome, fence = fence, attempt = attempt, untilMs = 0, leaseMs = 0, waited = '0', token = token, print = print}
    redis.call('SET', entry, written(it, payload), 'PX', ttlMs)
    return {'ok'}
  end
  local it = read(found)
  if it.token ~= token then
    if it.state == 'v' or it.state == 'e' then return {'stored', it.state, string.sub(found, it.at)} end
    return {'stolen'}
  end
  if it.state ~= 'r' then return {'ok'} end
  local wakes = it.waited == '1'
  if outcome == 'u' then it.print = '-' end
  it.state, it.untilMs, it.leaseMs, it.waited = stores and outcome or 'f', 0, 0, '0'
  replace(entry, it, payload, ttlMs)
  if wakes then redis.call('PUBLISH', wakeChannel, token) end
  return {'ok'}
end
local outcomes, size, argAt, step = {}, 0, 0, #ARGV > 9 and 9 or 0
for keyAt = 0, #KEYS - 1, 1 do
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

export interface ForgetKeys {
  readonly entry: Arg;
}

export type ForgetArgs = None;

export type ForgetResult =
  | { readonly status: "ok" }
  | { readonly status: "missing" }
  | { readonly status: "busy"; readonly leftMs: number };

/** Forget a key that nobody runs. */
export const forget: Script<ForgetKeys, ForgetArgs, ForgetResult> = {
  class: "idempotent",
  name: "idempotency.forget",
  sha1: "21cc2938b5cae7732ad83dfe961368056ca80ff1",
  lua: `-- idempotency.forget
${NOW}${RECORD}local entry = KEYS[1]
local found = redis.call('GET', entry)
if not found then return {'missing'} end
local leftMs = leftOf(read(found))
if leftMs > 0 then return {'busy', leftMs} end
redis.call('DEL', entry)
return {'ok'}
`,
  encodeKeys(keys, out) {
    out.push(keys.entry);
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
      case "busy":
        expectFields(fields, 1);
        return { status: "busy", leftMs: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of ok, missing, busy", reply);
    }
  },
};

export interface InspectKeys {
  readonly entry: Arg;
}

export type InspectArgs = None;

export type InspectResult =
  | { readonly status: "none" }
  | { readonly status: "free"; readonly fence: number; readonly attempt: number }
  | { readonly status: "running"; readonly fence: number; readonly attempt: number; readonly leftMs: number }
  | { readonly status: "stored"; readonly kind: string; readonly payload: Buffer };

/** What is known of a key. */
export const inspect: Script<InspectKeys, InspectArgs, InspectResult> = {
  class: "read",
  name: "idempotency.inspect",
  sha1: "02b160104204c7b92f8dbbb0f54ab6ed68ab4685",
  lua: `-- idempotency.inspect
${NOW}${RECORD}local entry = KEYS[1]
local found = redis.call('GET', entry)
if not found then return {'none'} end
local it = read(found)
if it.state == 'v' or it.state == 'e' then return {'stored', it.state, string.sub(found, it.at)} end
local leftMs = leftOf(it)
if leftMs > 0 then return {'running', it.fence, it.attempt, leftMs} end
return {'free', it.fence, it.attempt}
`,
  encodeKeys(keys, out) {
    out.push(keys.entry);
  },
  encodeArgs() {},
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "none":
        expectFields(fields, 0);
        return { status: "none" };
      case "free":
        expectFields(fields, 2);
        return { status: "free", fence: decodeInt(fields[1]), attempt: decodeInt(fields[2]) };
      case "running":
        expectFields(fields, 3);
        return { status: "running", fence: decodeInt(fields[1]), attempt: decodeInt(fields[2]), leftMs: decodeInt(fields[3]) };
      case "stored":
        expectFields(fields, 2);
        return { status: "stored", kind: decodeText(fields[1]), payload: decodeBytes(fields[2]) };
      default:
        throw new UnexpectedReplyError("one of none, free, running, stored", reply);
    }
  },
};
