/**
 * What could go wrong, and the test for each (what needs real processes that die is in faults.test.ts):
 * - two hold it ................................................. "one holder at a time"
 * - fences do not rise, or a majority does not know them ........ "stores the fence on a majority"
 * - a failed attempt leaves votes behind ........................ "leaves nothing behind"
 * - a waiter polls for ever, or is deaf........................ "waits", "gives up"
 * - two servers are one, a replica, a cluster ................... "refuses"
 * - a server that was just started votes ........................ "does not vote"
 * - missing rights look like an outage .......................... "a user who may not ask"
 * - a ttl that others do not wait for after a restart ........... "maxTtl"
 * - what is held outlives its handles ........................... "close"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { connect, type Holdfast, InvalidArgumentError, type Redlock, redlock, type RedlockOptions } from "../index.ts";
import { createTestServer } from "../testing/index.ts";

interface Server extends AsyncDisposable {
  readonly url: string;
}

/** Three of a kind; they have just been started, so that they vote only where that is no reason against it. */
const KINDS: Record<string, () => Promise<Server>> = {
  embedded: async () => {
    const server = await createTestServer();
    return { url: await server.listen(), [Symbol.asyncDispose]: () => server.close() };
  },
  standalone: startStandalone,
};
const AT_ONCE = { delayedRestart: false } as const;

describe.each(Object.keys(KINDS).map((name) => ({ name })))("redlock [$name]", ({ name: kind }) => {
  let servers: Server[];
  let handles: Holdfast[];
  let others: Holdfast[];
  let red: Redlock;
  let other: Redlock;
  const prefix = `test-${randomUUID()}`;
  const open = (): Promise<Holdfast[]> => Promise.all(servers.map(({ url }) => connect(url, { prefix })));
  /** What the servers have under the name. */
  const stored = (name: string, part = ""): Promise<(string | null)[]> =>
    Promise.all(
      handles.map(async (hf) => {
        const reply = await hf.command("GET", `${prefix}:redlock:{${name}}${part}`);
        return reply === null ? null : String(reply);
      }),
    );

  beforeAll(async () => {
    servers = await Promise.all([1, 2, 3].map(() => KINDS[kind]!()));
    [handles, others] = [await open(), await open()];
    red = redlock(handles, AT_ONCE);
    other = redlock(others, AT_ONCE);
  });
  afterAll(async () => {
    await Promise.all([...(handles ?? []), ...(others ?? [])].map((hf) => hf.close()));
    await Promise.all((servers ?? []).map((server) => server[Symbol.asyncDispose]()));
  });

  it("one holder at a time, free again after its release", async () => {
    const held = await red.lock("a").acquire();
    expect(held).toMatchObject({ name: "a", held: true });
    expect(held.remainingMs).toBeGreaterThan(9_000);
    expect(await other.lock("a").tryAcquire()).toEqual({ status: "busy" });
    expect(await red.lock("a").tryAcquire()).toEqual({ status: "busy" });
    expect(await held.release()).toEqual({ status: "ok" });
    expect(held.held).toBe(false);
    expect(await other.lock("a").tryAcquire()).toMatchObject({ status: "ok" });
  });

  it("stores the fence on a majority before the lock counts as held, and the next one's is higher", async () => {
    // Two servers have seen far higher fences than their clocks have by now.
    const ahead = 4e15;
    await Promise.all([1, 2].map((at) => handles[at]!.command("SET", `${prefix}:redlock:{f}:fence`, String(ahead))));
    const fences: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await using held = await (round % 2 === 0 ? red : other).lock("f").acquire();
      fences.push(held.fence);
      const known = (await stored("f", ":fence")).filter((fence) => Number(fence) >= held.fence);
      expect(known.length).toBeGreaterThanOrEqual(2);
    }
    expect(fences).toEqual([...fences].toSorted((a, b) => a - b));
    expect(new Set(fences).size).toBe(3);
    expect(fences.at(-1)).toBeGreaterThan(ahead);
  });

  it("leaves nothing behind after an attempt that failed, and takes the votes of a majority only", async () => {
    const mine = `${prefix}:redlock:{partly}`;
    await Promise.all([0, 1].map((at) => handles[at]!.command("SET", mine, "somebody", "PX", 60_000)));
    expect(await red.lock("partly").tryAcquire()).toEqual({ status: "busy" });
    await until("the vote is taken back", async () => (await stored("partly"))[2] === null);
    await handles[0]!.command("DEL", mine);
    await using held = await red.lock("partly").acquire();
    expect(await stored("partly")).toEqual([expect.any(String), "somebody", expect.any(String)]);
    expect(held.held).toBe(true);
  });

  it("waits until it is released, and gives up after its time or at its signal", async () => {
    const held = await red.lock("w").acquire();
    await expect(other.lock("w").acquire({ wait: 200 })).rejects.toMatchObject({
      code: "TIMEOUT",
      op: "redlock.acquire",
    });
    await expect(red.lock("w").acquire({ wait: 0 })).rejects.toThrow(/this process holds it itself/);
    const stop = new AbortController();
    const stopped = other.lock("w").acquire({ signal: stop.signal });
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
    const waiting = other.lock("w").acquire();
    await held.release();
    expect((await waiting).fence).toBeGreaterThan(held.fence);
    await (await waiting).release();
  });

  it("many callers at once each get it once", async () => {
    let [inside, most, done] = [0, 0, 0];
    await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        [red, other][at % 2]!.lock("many").run(async () => {
          inside += 1;
          most = Math.max(most, inside);
          await handles[0]!.ping();
          inside -= 1;
          done += 1;
        }),
      ),
    );
    expect([most, done]).toEqual([1, 8]);
  });

  it("renews itself on all servers, and is extended by hand", async () => {
    await using held = await red.lock("r", { ttl: 300 }).acquire();
    // One server has forgotten it: the next renewal asks for its vote again.
    await handles[1]!.command("DEL", `${prefix}:redlock:{r}`);
    await until("it is there again", async () => (await stored("r"))[1] !== null);
    expect(await held.extend("5s")).toEqual({ status: "ok" });
    expect(held.remainingMs).toBeGreaterThan(4_000);
    await expect(held.extend("1m")).rejects.toThrow(/ttl: expected at most 30000 ms, the maxTtl/);
  });

  it("is lost, and its signal says so, when a majority is another's", async () => {
    const held = await red.lock("s", { ttl: 300 }).acquire();
    const lost = new Promise((resolve) => held.signal.addEventListener("abort", () => resolve(held.signal.reason)));
    await Promise.all(
      [0, 1].map((at) => handles[at]!.command("SET", `${prefix}:redlock:{s}`, "somebody", "PX", 60_000)),
    );
    expect(await lost).toMatchObject({ code: "LEASE_LOST", reason: "stolen" });
    expect(await held.release()).toEqual({ status: "stolen" });
  });

  it("run: passes results and errors on, and refuses to wait for itself", async () => {
    const lock = red.lock("run");
    expect(await lock.run(({ fence }) => fence)).toBeGreaterThan(0);
    await expect(lock.run(() => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
    await expect(lock.run(() => lock.acquire())).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await lock.tryAcquire()).toMatchObject({ status: "ok" });
  });

  it("close releases what is held and aborts its signal; borrowed handles stay open, opened ones do not", async () => {
    const mine = redlock(handles, AT_ONCE);
    const held = await mine.lock("c").acquire();
    await mine.close();
    expect(held.signal.reason).toMatchObject({ reason: "closed" });
    await expect(mine.lock("c").acquire()).rejects.toMatchObject({ code: "CLOSED" });
    await handles[0]!.ping();
    await using byUrl = redlock(
      servers.map(({ url }) => ({ url, prefix })),
      AT_ONCE,
    );
    expect(await byUrl.lock("c").tryAcquire()).toMatchObject({ status: "ok" });
  });

  it("ends with any of its handles", async () => {
    const mine = await open();
    const held = await redlock(mine, AT_ONCE).lock("e").acquire();
    await mine[0]!.close();
    expect(held.signal.aborted).toBe(true);
    await Promise.all(mine.map((hf) => hf.close()));
    expect(await red.lock("e").tryAcquire()).toMatchObject({ status: "ok" });
  });

  it("a server that was just started does not vote", async () => {
    const patient = redlock(handles);
    await expect(patient.lock("young").tryAcquire()).rejects.toThrow(
      /^redlock "young": needs 2 of 3 servers: \d started too short a time ago to vote$/,
    );
    await until("nothing is left", async () => (await stored("young")).every((each) => each === null));
    await using held = await redlock(handles, { maxTtl: 500 }).lock("young", { ttl: 400 }).acquire();
    expect(held.held).toBe(true);
  });

  it("refuses the same server twice, whatever it is called", async () => {
    const port = new URL(servers[0]!.url).port;
    const twice = redlock([servers[0]!.url, servers[1]!.url, `redis://localhost:${port}`], AT_ONCE);
    const failure = twice.lock("twice").acquire();
    await expect(failure).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(failure).rejects.toThrow(
      "redlock: servers: expected primaries that know nothing of each other, got the 1st and the 3rd are the same server",
    );
    await twice.close();
  });
});

it("refuses a replica, and says which it is [standalone]", async () => {
  await using one = await startStandalone();
  await using two = await startStandalone();
  await using replica = await startStandalone();
  await replica.command("REPLICAOF", "127.0.0.1", one.port);
  await using red = redlock([one.url, two.url, replica.url], AT_ONCE);
  await expect(red.lock("a").acquire()).rejects.toThrow("got the 3rd is a replica");
});

it("a user who may not ask the servers for their age is refused by name, and no outage is waited for [standalone]", async () => {
  await using one = await startStandalone();
  await using two = await startStandalone();
  await using three = await startStandalone();
  const rights = ["~hf:*", "&hf:*", "+@all", "-@admin", "-@dangerous", "+client|kill"];
  const servers = [one, two, three];
  await Promise.all(servers.map((each) => each.command("ACL", "SETUSER", "app", "on", ">secret", ...rights)));
  const urls = servers.map(({ url }) => url.replace("redis://", "redis://app:secret@"));
  await using red = redlock(urls, AT_ONCE);
  await expect(red.lock("a").acquire()).rejects.toMatchObject({ code: "PERMISSION" });
  await Promise.all(servers.map((each) => each.command("ACL", "SETUSER", "app", "+info")));
  expect(await red.lock("a").tryAcquire()).toMatchObject({ status: "ok" });
});

it.each(backends("cluster"))("refuses a cluster [$name]", async ({ url }) => {
  await using server = await createTestServer();
  const [one, two] = [await server.connect(), await server.connect()];
  await using red = redlock([one, { url }, two], AT_ONCE);
  await expect(red.lock("a").acquire()).rejects.toThrow(InvalidArgumentError);
});

describe("options", () => {
  const urls = ["redis://a", "redis://b", "redis://c"];

  it.each<[string, () => unknown]>([
    ["servers: expected 3 to 100 handles, URLs or options, each once, got 2", () => redlock(urls.slice(1))],
    ["got one of them twice", () => redlock(["redis://a", "redis://b", "redis://a"])],
    ["got nothing of these as the 2nd", () => redlock(["redis://a", undefined as unknown as string, "redis://b"])],
    ["servers: expected 3 to 100", () => redlock("redis://a" as unknown as string[])],
    ["maxTtl: expected a duration", () => redlock(urls, { maxTtl: 1 })],
    ["delayedRestart: expected true or false", () => redlock(urls, { delayedRestart: 1 } as unknown as RedlockOptions)],
    ['did you mean "retryDelay"', () => redlock(urls, { retrydelay: 1 } as unknown as RedlockOptions)],
  ])("%s", (message, make) => {
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(message);
  });

  it("of one lock are refused in its name", async () => {
    await using red = redlock(urls, { maxTtl: "20s", timeout: "2s" });
    expect(() => red.lock("x", { ttl: "21s" })).toThrow(
      'redlock "x": ttl: expected at most 20000 ms, the maxTtl of this redlock',
    );
    expect(() => red.lock("x", { ttl: "3s" })).toThrow('redlock "x": timeout: expected half of the ttl at most');
    expect(() => red.lock("")).toThrow("redlock: name: expected");
    expect(() => red.lock("x", { owner: "me" } as object)).toThrow('redlock "x": owner');
    await expect(red.lock("x").acquire({ wait: -1 })).rejects.toThrow('redlock "x": wait');
    await expect(red.lock("x").run(1 as unknown as () => void)).rejects.toThrow('redlock "x": body');
  });
});
