/**
 * No value that a program stores is in any error of any primitive, whatever goes wrong: every call with a planted value,
 * every kind of failure, and the errors searched as deep as they go.
 *
 * What could go wrong, and the test for each:
 * - the server quotes what it refuses ............. "no permission", "no memory", "keys of another type"
 * - a call that waits is shown when it ends ....... "a server that stopped", "a closed handle"
 * - a mistaken argument is quoted ................. "a value where none belongs"
 */
import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast, HoldfastError } from "../src/index.ts";
import { backends } from "./support/backends.ts";
import { type Standalone, startStandalone } from "./support/servers.ts";

const SECRET = "pl4nted-s3cret";

/** Each stores the planted value, or carries it. Ids, members and tags are names, which errors may show. */
function writes(hf: Holdfast): Record<string, () => Promise<unknown>> {
  const sessions = hf.sessions<{ token: string }>("s");
  const records = hf.records<{ card: string }>("r");
  return {
    "cache.set": () => hf.cache("c").set("a", SECRET),
    "cache.getOrSet": () => hf.cache("c", { onOutage: "throw" }).getOrSet("b", () => SECRET),
    "channel.publish": () => hf.channel("ch").publish(SECRET),
    "fenced.set": () => hf.fenced("f").set("a", SECRET, 5),
    "records.set": () => records.set("a", { card: SECRET }),
    "records.patch": () => records.patch("a", { card: SECRET }),
    "records.update": () => records.update("a", () => ({ card: SECRET }), { initial: { card: SECRET } }),
    "records.increment": () => records.increment("a", "card" as never),
    "sessions.create": () => sessions.create({ user: "ada", data: { token: SECRET }, device: SECRET }),
    "queue.add": () => hf.queue("q").add(SECRET),
    "queue.add, unique": () => hf.queue("q").add(SECRET, { unique: "a" }),
    transaction: () => hf.transaction([hf.key("own", "t")], (tx) => tx.queue("SET", hf.key("own", "t"), SECRET)),
    command: () => hf.command("SET", hf.key("own", "a"), SECRET),
    "a command of no server": () => hf.command("NOSUCHCOMMAND", hf.key("own", "a"), SECRET),
    "a command with a mistake": () => hf.command("SET", hf.key("own", "a"), SECRET, "NONSENSE"),
  };
}

/** Runs every call; returns the names of those that failed. */
async function failing(calls: Record<string, () => Promise<unknown>>): Promise<string[]> {
  const failed: string[] = [];
  await Promise.all(
    Object.entries(calls).map(async ([name, call]) => {
      const error: unknown = await call().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) return;
      failed.push(name);
      expect({ name, error }).toEqual({ name, error: expect.any(HoldfastError) });
      const shown = inspect(error, { depth: Infinity, showHidden: true, maxStringLength: Infinity });
      expect(`${name}: ${shown}\n${JSON.stringify(error)}`).not.toContain(SECRET);
    }),
  );
  return failed;
}

describe("errors hold no value [standalone]", () => {
  let server: Standalone;
  beforeAll(async () => {
    server = await startStandalone();
  });
  afterAll(() => server?.stop());

  it("no permission", async () => {
    await server.command("ACL", "SETUSER", "guest", "on", ">pw", "resetkeys", "-@all", "+hello", "+ping", "+client");
    await using hf = await connect(server.url.replace("redis://", "redis://guest:pw@"));
    const calls = writes(hf);
    expect(await failing(calls)).toHaveLength(Object.keys(calls).length);
  });

  it("no permission inside a script", async () => {
    const rights = ["resetkeys", "~*", "+@all", "-hset", "-set", "-rpush", "-publish", "-hmget", "-zadd"];
    await server.command("ACL", "SETUSER", "reader", "on", ">pw", ...rights);
    await using hf = await connect(server.url.replace("redis://", "redis://reader:pw@"));
    expect(await failing(writes(hf))).toEqual(expect.arrayContaining(["cache.set", "records.set", "queue.add"]));
  });

  it("no memory", async () => {
    await using hf = await connect(server.url);
    await server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      expect(await failing(writes(hf))).toEqual(expect.arrayContaining(["cache.set", "records.patch", "queue.add"]));
    } finally {
      await server.command("CONFIG", "SET", "maxmemory", "0");
    }
  });

  it("a server that stopped", async () => {
    const hf = await connect(server.url, { timeout: 300 });
    await server.pause();
    try {
      const calls = writes(hf);
      expect(await failing(calls)).toHaveLength(Object.keys(calls).length);
    } finally {
      server.resume();
      await hf.close();
    }
  });
});

describe.each(backends("standalone", "embedded"))("errors hold no value [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `secrets-${randomUUID()}` });
  });
  afterAll(() => hf?.close());

  it("keys of another type", async () => {
    await failing(writes(hf));
    for await (const keys of hf.scan()) {
      for (const key of keys) {
        await hf.command("DEL", key);
        await hf.command("GEOADD", key, 1, 1, SECRET);
      }
    }
    expect(await failing(writes(hf))).toEqual(expect.arrayContaining(["records.set", "queue.add"]));
  });

  it("a closed handle", async () => {
    const closed = await connect(url, options);
    const calls = writes(closed);
    await closed.close();
    expect(await failing(calls)).toHaveLength(Object.keys(calls).length);
  });

  it("a value where none belongs", async () => {
    const wrong = SECRET as never;
    const calls: Record<string, () => Promise<unknown>> = {
      "cache.set": async () => hf.cache("c").set("a", 1, wrong),
      "cache.getOrSet": async () => hf.cache("c").getOrSet("a", wrong),
      "records.set": () => hf.records("r").set("a", wrong),
      "records.set, a list": () => hf.records("r").set("a", [SECRET] as never),
      "records.patch": () => hf.records("r").patch("a", wrong),
      "records.update": () => hf.records("r").update("a", () => wrong, { initial: {} }),
      "records.update, initial": () => hf.records("r").update("b", (value) => value, { initial: wrong }),
      "sessions.create": () => hf.sessions("s").create({ data: wrong }),
      "sessions.create, all": () => hf.sessions("s").create(wrong),
      "queue.add": () => hf.queue("q").add(1, wrong),
      "queue.add, a function": () => hf.queue("q").add(() => SECRET),
      "channel.publish": () => hf.channel("c").publish(new Map([[SECRET, SECRET]])),
      "transaction.queue": () => hf.transaction(["t"], (tx) => tx.queue("SET", "t", [SECRET] as never)),
      command: () => hf.command("SET", "t", { SECRET } as never),
    };
    expect(await failing(calls)).toHaveLength(Object.keys(calls).length);
  });
});
