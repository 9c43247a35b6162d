// Generated from fenced-set.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeInt, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface FencedSetKeys {
  readonly entry: Arg;
}

export interface FencedSetArgs {
  readonly fence: number;
  readonly ttlMs: number;
  readonly payload: Arg;
}

export type FencedSetResult =
  | { readonly status: "written" }
  | { readonly status: "stale"; readonly fence: number };

/** Store a value unless one with a higher fence is there. */
export const fencedSet: Script<FencedSetKeys, FencedSetArgs, FencedSetResult> = {
  class: "idempotent",
  name: "locks.fencedSet",
  sha1: "049f7b9e3534bad92478c7baf6aa3aab02c0924a",
  lua: `-- locks.fencedSet
local entry = KEYS[1]
local fence, ttlMs, payload = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local highest = tonumber(redis.call('HGET', entry, 'fence') or 0)
if fence < highest then return {'stale', highest} end
redis.call('HSET', entry, 'fence', string.format('%.0f', fence), 'value', payload)
redis.call('PEXPIRE', entry, ttlMs)
return {'written'}
`,
  encodeKeys(keys, out) {
    out.push(keys.entry);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("fence", args.fence), encodeInt("ttlMs", args.ttlMs), args.payload);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "written":
        expectFields(fields, 0);
        return { status: "written" };
      case "stale":
        expectFields(fields, 1);
        return { status: "stale", fence: decodeInt(fields[1]) };
      default:
        throw new UnexpectedReplyError("one of written, stale", reply);
    }
  },
};
