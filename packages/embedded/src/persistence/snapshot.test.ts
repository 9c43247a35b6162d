import { crc32 } from "node:zlib";
import { expect, it } from "vitest";
import { VirtualClock } from "../base/clock.ts";
import { splitArguments } from "../protocol/inline.ts";
import type { Reply } from "../base/reply.ts";
import { createServer, type EmbeddedServer } from "../server.ts";
import { loadSnapshot, SnapshotError, takeSnapshot } from "./snapshot.ts";

/** Every type, what is awkward in it, deadlines, several databases. */
const COMMANDS = [
  String.raw`SET "binary \x00\x0a\xff\xc3\xa4\x80" "\x00\x0d\x0a\"\\\xe2\x80\xa8\xff"`,
  'SET empty ""',
  "SET number 12345678901234567890 PX 100000",
  "SETBIT bits 77 1",
  "PFADD hll a b c d",
  "RPUSH list a b a",
  String.raw`RPUSH list "" "\xff"`,
  "PEXPIREAT list 9007199254740993",
  String.raw`HSET hash f v "" "" "\xff" "\x00"`,
  "SADD numbers 1 2 -9223372036854775808 9223372036854775807",
  String.raw`SADD set a "" "\xff"`,
  "ZADD zset 1.5 a -0 b inf c -inf d 0.1 e 1e308 f 5e-324 g 9007199254740993 h",
  "GEOADD geo 13.4 52.5 Berlin",
  "XADD stream 1-1 f v g w",
  String.raw`XADD stream 5-0 "" "\xff"`,
  "XADD stream 18446744073709551614-1 f v",
  "XDEL stream 5-0",
  "XGROUP CREATE stream group 0",
  "XGROUP CREATE stream later 1-1 ENTRIESREAD 1",
  "XGROUP CREATECONSUMER stream group idle",
  "XREADGROUP GROUP group me COUNT 1 STREAMS stream >",
  "XCLAIM stream group you 0 1-1 RETRYCOUNT 7",
  "XGROUP CREATE emptied $ $ MKSTREAM",
  "SELECT 15",
  "SET other v EX 7",
  "SELECT 0",
];

const READ: Readonly<Record<string, string>> = {
  string: "GET key",
  list: "LRANGE key 0 -1",
  hash: "HGETALL key",
  set: "SMEMBERS key",
  zset: "ZRANGE key 0 -1 WITHSCORES",
  stream: "XINFO STREAM key FULL COUNT 0",
};

type Ask = (...args: string[]) => Reply;

function clientOf(server: EmbeddedServer): Ask {
  const connection = server.connectInProcess();
  return (...args) => {
    let answer: Reply = "";
    connection.send(args, (reply) => (answer = reply));
    return answer;
  };
}

/** Everything that a client can see of the keys, but that a string was changed in place (OBJECT ENCODING). */
function dump(ask: Ask): unknown {
  return ["0", "15"].map((db) => {
    ask("SELECT", db);
    const keys = [...(ask("KEYS", "*") as string[])].sort();
    return keys.map((key) => {
      const type = (ask("TYPE", key) as { text: string }).text;
      const read = (READ[type] ?? "").split(" ").map((word) => (word === "key" ? key : word));
      return [key, type, ask("PEXPIRETIME", key), type === "string" || ask("OBJECT", "ENCODING", key), ask(...read)];
    });
  });
}

async function filled(clock: VirtualClock): Promise<{ readonly bytes: Buffer; readonly keys: unknown }> {
  await using server = createServer({ clock });
  const ask = clientOf(server);
  for (const line of COMMANDS) expect(ask(...(splitArguments(line) ?? []))).not.toMatchObject({ kind: "error" });
  return { bytes: takeSnapshot(server.engine), keys: dump(ask) };
}

it("holds every type to the last bit, with deadlines, groups and what is pending", async () => {
  const clock = new VirtualClock();
  const { bytes, keys } = await filled(clock);
  await using server = createServer({ clock });
  const ask = clientOf(server);
  ask("SET", "was here", "before");
  loadSnapshot(server.engine, bytes);
  expect(dump(ask)).toEqual(keys);
  expect(takeSnapshot(server.engine)).toEqual(bytes);
  clock.advance(8000);
  loadSnapshot(server.engine, bytes);
  ask("SELECT", "15");
  expect(ask("DBSIZE")).toBe(0);
});

it("is refused or read right when any one of its bytes is another", async () => {
  const clock = new VirtualClock();
  const { bytes, keys } = await filled(clock);
  await using server = createServer({ clock });
  const ask = clientOf(server);
  let refused = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
    try {
      loadSnapshot(server.engine, damaged);
      expect(dump(ask)).toEqual(keys);
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(bytes.length * 0.9);
});

it("is refused when it is cut off anywhere, and changes nothing then", async () => {
  const { bytes } = await filled(new VirtualClock());
  await using server = createServer();
  const ask = clientOf(server);
  ask("SET", "kept", "v");
  for (let length = 0; length < bytes.length; length += 1) {
    expect(() => loadSnapshot(server.engine, bytes.subarray(0, length))).toThrow(SnapshotError);
  }
  expect(ask("KEYS", "*")).toEqual(["kept"]);
});

it.each<[string, unknown, unknown]>([
  ["a line that is no key", [], 7],
  ["a database that is not there", [], [16, "a", null, "string", "1"]],
  ["a key of more than bytes", [], [0, "\u20ac", null, "string", "1"]],
  ["a value of more than bytes", [], [0, "a", null, "string", "\u20ac"]],
  ["a time that is none", [], [0, "a", "soon", "string", "1"]],
  ["a score that is none", [], [0, "a", null, "zset", ["m", "many"]]],
  ["a type that is none", [], [0, "a", null, "__proto__", "1"]],
  [
    "entries out of order",
    [],
    [
      0,
      "a",
      null,
      "stream",
      stream([
        ["2-1", "f", "v"],
        ["1-1", "f", "v"],
      ]),
    ],
  ],
  ["an entry that is none", [], [0, "a", null, "stream", stream([["1-1", "f"]])]],
  ["functions that are none", ["#!lua name=x\nnot Lua"], [0, "a", null, "string", "1"]],
  ["functions that are no text", [7], [0, "a", null, "string", "1"]],
  ["functions that are no list", { length: 1 }, [0, "a", null, "string", "1"]],
])("with a right checksum and %s is refused, and changes nothing", async (_name, libraries, line) => {
  await using server = createServer();
  const ask = clientOf(server);
  ask("SET", "kept", "v");
  expect(() => loadSnapshot(server.engine, forged(libraries, line))).toThrow(SnapshotError);
  expect(ask("KEYS", "*")).toEqual(["kept"]);
});

function stream(entries: readonly (readonly string[])[]): unknown {
  return { lastId: "2-1", maxDeletedId: "0-0", entriesAdded: "2", groups: [], entries };
}

function forged(libraries: unknown, line: unknown): Buffer {
  const head = JSON.stringify({ format: "holdfast-embedded-snapshot", version: 1, libraries });
  const body = Buffer.from(`${head}\n${JSON.stringify(line).replaceAll("\u20ac", String.raw`\u20ac`)}\n`, "latin1");
  return Buffer.concat([body, Buffer.from(`${JSON.stringify({ keys: 1, crc32: crc32(body) })}\n`)]);
}
