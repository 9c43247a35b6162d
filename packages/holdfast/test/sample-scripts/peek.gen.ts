// Generated from peek.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../../src/driver/port.ts";
import { decodeBytes, decodeList, decodeOptional } from "../../src/script/decode.ts";
import type { None, Script } from "../../src/script/script.ts";

export interface PeekKeys {
  readonly names: readonly Arg[];
}

export type PeekArgs = None;

export type PeekResult = (Buffer | null)[];

/** The values of many keys. */
export const peek: Script<PeekKeys, PeekArgs, PeekResult> = {
  class: "read",
  name: "sample-scripts.peek",
  sha1: "cfac0efafeb71fa21030f8a862a77c376ea36c7f",
  lua: `-- sample-scripts.peek
local names = KEYS
return redis.call('MGET', unpack(names))
`,
  encodeKeys(keys, out) {
    for (const each of keys.names) out.push(each);
  },
  encodeArgs() {},
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeBytes));
  },
};
