/**
 * Commands of a user's own. What could go wrong, and the test for each:
 * - the table calls a write a read, and it is repeated ............. "agrees with the server on what only reads"
 * - a command goes to the node of something that is no key ......... "agrees with the server on where the keys are"
 * - a repeat finds its own first try and says "no" ................. "is repeated only where a repeat answers the same"
 * - one caller's command blocks or changes everybody's connection .. "refuses what blocks or changes the connection"
 * - what cannot be sent ends the process, or is sent as "undefined"  "refuses what is no argument"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { classOf, isKnown, keysOf } from "./table.ts";

interface ServersWord {
  readonly flags: ReadonlySet<string>;
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

async function serversTable(hf: Holdfast): Promise<Map<string, ServersWord>> {
  const rows = (await hf.command("COMMAND")) as unknown[][];
  const entries = rows.map(([name, , flags, first, last, step]) => {
    const word = { flags: new Set((flags as unknown[]).map(String)), first, last, step } as ServersWord;
    return [String(name).toUpperCase(), word] as const;
  });
  return new Map(entries);
}

describe.each(backends())("hf.command [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `t${randomUUID()}` });
  });
  afterAll(() => hf?.close());

  it("sends any command, with numbers and bytes, to the node of its key", async () => {
    for (let at = 0; at < 8; at += 1) {
      const key = hf.key(`group-${at}`, "x");
      expect(await hf.command("set", key, Uint8Array.of(0, 255), "PX", 60_000)).toBe("OK");
      expect(await hf.command("GET", key)).toEqual(Buffer.from([0, 255]));
      expect(await hf.command("OBJECT", "ENCODING", key)).toEqual(Buffer.from("embstr"));
      expect(await hf.command("EVAL", "return redis.call('STRLEN', KEYS[1])", 1, key)).toBe(2);
      expect(await hf.command("ZADD", hf.key(`group-${at}`, "z"), Number.POSITIVE_INFINITY, "a", 7n, "b")).toBe(2);
      expect(await hf.command("UNLINK", key, hf.key(`group-${at}`, "z"))).toBe(2);
    }
  });

  it.each<[string, unknown[]]>([
    ["argument 2 of SET", ["k", undefined]],
    ["argument 2 of SET", ["k", null]],
    ["argument 2 of SET", ["k", true]],
    ["argument 2 of SET", ["k", { planted: "secret" }]],
    ["argument 1 of SET", [["k"]]],
    ["argument 2 of SET", ["k", Number.NaN]],
  ])("refuses what is no argument, by its position: %s", async (field, args) => {
    const failure = hf.command("SET", ...(args as string[]));
    await expect(failure).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field });
    await expect(failure).rejects.toThrow(expect.not.stringContaining("planted"));
    expect(await hf.command("PING")).toBe("PONG");
  });

  it.each([
    ["BLPOP", "k", 0],
    ["XREAD", "BLOCK", 0, "STREAMS", "k", "$"],
    ["WAIT", 1, 0],
  ])("refuses what blocks or changes the connection: %s", async (command, ...args) => {
    await expect(hf.command(command, ...args)).rejects.toThrow("hf.driver.blocking");
  });

  it.each([["SUBSCRIBE", "c"], ["MULTI"], ["SELECT", 1], ["CLIENT", "REPLY", "OFF"], ["RESET"]])(
    "refuses what blocks or changes the connection: %s",
    async (command, ...args) => {
      await expect(hf.command(command, ...args)).rejects.toThrow("hf.transaction");
    },
  );

  it.each([undefined, null, 5, "", "GET k"])("refuses %j as a command", async (command) => {
    await expect(hf.command(command as string)).rejects.toMatchObject({ field: "command" });
  });
});

describe.each(backends("standalone"))("the table of commands [$name]", ({ url, options }) => {
  let table: Map<string, ServersWord>;
  beforeAll(async () => {
    await using hf = await connect(url, options);
    table = await serversTable(hf);
  });

  it("agrees with the server on what only reads", () => {
    const wrong = [...table].filter(([name, { flags }]) => flags.has("write") && classOf(name, []) === "read");
    expect(wrong).toEqual([]);
    const missed = [...table].filter(([name, { flags }]) => flags.has("readonly") && classOf(name, []) !== "read");
    expect(missed).toEqual([]);
  });

  it("agrees with the server on where the keys are", () => {
    const args = ["1", "2", "3", "4", "5", "6"];
    const wrong: string[] = [];
    for (const [name, { first, last, step, flags }] of table) {
      if (flags.has("movablekeys") || !isKnown(name)) continue;
      // A container's keys are its subcommands'.
      if (first === 0 && keysOf(name, ["x", "k"])[0] === "k") continue;
      const end = last < 0 ? args.length + last : last - 1;
      const theirs =
        first === 0 ? [] : args.filter((_, at) => at >= first - 1 && at <= end && (at - first + 1) % step === 0);
      if (keysOf(name, args).join() !== theirs.join()) wrong.push(`${name}: ${keysOf(name, args).join()}`);
    }
    expect(wrong).toEqual([]);
  });

  it("finds the keys that stand behind their number", () => {
    expect(keysOf("EVAL", ["return 1", "2", "a", "b", "c"])).toEqual(["a", "b"]);
    expect(keysOf("ZUNION", ["2", "a", "b", "WITHSCORES"])).toEqual(["a", "b"]);
    expect(keysOf("XREADGROUP", ["GROUP", "g", "c", "streams", "a", "b", ">", ">"])).toEqual(["a", "b"]);
    expect(keysOf("EVAL", ["return 1", "0"])).toEqual([]);
  });

  it.each<[string, string[], string]>([
    ["SET", ["k", "NX", "PX", "5"], "idempotent"],
    ["SET", ["k", "v", "nx"], "unsafe"],
    ["SET", ["k", "v", "GET"], "unsafe"],
    ["ZADD", ["k", "1", "a"], "idempotent"],
    ["ZADD", ["k", "INCR", "1", "a"], "unsafe"],
    ["EXPIRE", ["k", "5"], "idempotent"],
    ["EXPIRE", ["k", "5", "GT"], "unsafe"],
    ["INCR", ["k"], "unsafe"],
    ["LPOP", ["k"], "unsafe"],
    ["SETNX", ["k", "v"], "unsafe"],
    ["MODULE.COMMAND", ["k"], "unsafe"],
    ["constructor", ["k"], "unsafe"],
  ])("is repeated only where a repeat answers the same: %s %j is %s", (name, args, expected) => {
    expect(classOf(name, args)).toBe(expected);
    expect(keysOf(name, args)[0]).toBe("k");
  });
});
