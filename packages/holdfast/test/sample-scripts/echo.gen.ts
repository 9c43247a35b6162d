// Generated from echo.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../../src/driver/port.ts";
import { UnexpectedReplyError, decodeBigint, decodeBool, decodeBytes, decodeFloat, decodeInt, decodeJson, decodeList, decodeOptional, decodeText, decodeUnion, expectFields } from "../../src/script/decode.ts";
import { encodeBigint, encodeBool, encodeFloat, encodeInt, encodeJson } from "../../src/script/encode.ts";
import type { Script } from "../../src/script/script.ts";

export interface EchoKeys {
  readonly anything: Arg;
}

export interface EchoArgs {
  /** any bytes */
  readonly raw: Arg;
  readonly name: string;
  readonly whole: number;
  readonly real: number;
  readonly flag: boolean;
  readonly document: unknown;
  readonly huge: bigint;
  readonly rest: readonly number[];
}

export type EchoResult =
  | { readonly status: "same"; readonly raw: Buffer; readonly name: string; readonly whole: number; readonly real: number; readonly flag: boolean; readonly document: unknown; readonly huge: bigint; readonly rest: number[]; readonly absent: string | null };

/** Gives back each argument as Lua saw it, so that a test can compare what went in with what comes out. */
export const echo: Script<EchoKeys, EchoArgs, EchoResult> = {
  class: "read",
  name: "sample-scripts.echo",
  sha1: "4d1b134efa2dab13d0608d66de256302d59efe60",
  lua: `-- sample-scripts.echo
local anything = KEYS[1]
local raw, name, whole, real, flag, document, huge = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1', cjson.decode(ARGV[6]), ARGV[7]
local rest = {}
for i = 8, #ARGV do rest[i - 7] = tonumber(ARGV[i]) end
return {
  'same', raw, name, whole, string.format('%.17g', real), flag, cjson.encode(document), huge, rest,
}
`,
  encodeKeys(keys, out) {
    out.push(keys.anything);
  },
  encodeArgs(args, out) {
    out.push(args.raw, args.name, encodeInt("whole", args.whole), encodeFloat("real", args.real), encodeBool(args.flag), encodeJson("document", args.document), encodeBigint(args.huge));
    for (const each of args.rest) out.push(encodeInt("rest", each));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "same":
        expectFields(fields, 9);
        return { status: "same", raw: decodeBytes(fields[1]), name: decodeText(fields[2]), whole: decodeInt(fields[3]), real: decodeFloat(fields[4]), flag: decodeBool(fields[5]), document: decodeJson(fields[6]), huge: decodeBigint(fields[7]), rest: decodeList(fields[8], decodeInt), absent: decodeOptional(fields[9], decodeText) };
      default:
        throw new UnexpectedReplyError("one of same", reply);
    }
  },
};
