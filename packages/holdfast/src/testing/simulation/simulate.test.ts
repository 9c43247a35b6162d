/**
 * What could go wrong, and the test for it:
 * - a run cannot be repeated ....................................... "the same seed", "a failure"
 * - a fault never happens, or happens where it was not asked for ... "faults"
 * - a body that hangs is taken for one that works .................. "hangs"
 * - a process that was killed goes on ............................... "kill"
 * - servers share data, a clock or a fault .......................... "several servers"
 * - a cluster is none: every server takes every key ................ "a cluster"
 */
import { describe, expect, it } from "vitest";
import { unlessOutage } from "../../../test/support/simulated.ts";
import { InvalidArgumentError, OutcomeUnknownError } from "../../base/errors.ts";
import type { Holdfast } from "../../holdfast.ts";
import { type FaultOptions, simulate, SimulationError, type SimulateOptions, type Simulation } from "../index.ts";

const NO_FAULTS: Required<FaultOptions> = {
  lostAnswers: false,
  lostRequests: false,
  slowDeliveries: false,
  partitions: false,
  clientPauses: false,
  serverPauses: false,
  restarts: false,
  dataLoss: false,
  migrations: false,
  lateCopies: false,
  clockSkew: false,
};

/** Everybody adds to one number, again and again. */
async function adding({ clients, random, now }: Simulation): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      while (now() < 3_500) {
        await client.hf
          .counter("n")
          .increment("all")
          .catch(() => undefined);
        await client.sleep(random.integer(1, 100));
      }
    }),
  );
}

describe("the same seed", () => {
  it("plays the same run, event by event; another seed another one", async () => {
    const run = (seed: number): Promise<unknown> => simulate({ seed, schedules: 10, clients: 3 }, adding);
    const [first, second, other] = [await run(7), await run(7), await run(8)];
    expect(second).toEqual(first);
    expect(other).not.toMatchObject({ digest: (first as { digest: string }).digest });
  });

  it("plays the same run also after other runs, and beside real work", async () => {
    const digest = async (): Promise<string> => (await simulate({ seed: 3, schedules: 3 }, adding)).digest;
    const alone = await digest();
    const work = setInterval(() => void Buffer.alloc(100_000), 1);
    expect(await digest()).toBe(alone);
    clearInterval(work);
  });
});

describe("a failure", () => {
  /** Fails in the schedules in which an answer is lost. */
  const fragile = async ({ clients: [client] }: Simulation): Promise<void> => {
    for (let at = 0; at < 50; at++) await client!.hf.driver.send(["INCR", "n"], { op: "add", class: "unsafe" }, "n");
  };

  it("names its seed, and the seed repeats it with the same events", async () => {
    const failure = await failed({ seed: 1, schedules: 200 }, fragile);
    expect(failure.cause).toBeInstanceOf(OutcomeUnknownError);
    expect(failure.message).toContain(`seed ${failure.seed}`);
    expect(failure.trace.join("\n")).toContain("lost");
    const again = await failed({ seed: failure.seed, schedules: 1 }, fragile);
    expect(again.trace).toEqual(failure.trace);
  });

  it("a body that hangs is one, and says after which time", async () => {
    const failure = await failed({ schedules: 1, limit: "2s" }, () => new Promise(() => undefined));
    expect(failure.message).toContain("not done after 2000 ms of simulated time");
  });

  it("bad options are refused by their names", async () => {
    const nothing = async (): Promise<void> => undefined;
    const refused: SimulateOptions[] = [
      { schedules: 0 },
      { clients: 1.5 },
      { servers: 0 },
      { seed: -1 },
      { faults: { restart: true } as FaultOptions },
      { faults: { restarts: 1 } as unknown as FaultOptions },
      { connect: { url: "redis://localhost" } },
    ];
    for (const options of refused) await expect(simulate(options, nothing)).rejects.toThrow(InvalidArgumentError);
  });
});

/** What the adding of numbers shows of the faults. */
interface Symptoms {
  /** Answers that did not come, where the command was executed, and where it was not. */
  executedUnknown: number;
  lostUnknown: number;
  /** Sleeps that took longer on the client than on the clock. */
  oversleeps: number;
  /** The number was smaller than it had been. */
  forgotten: number;
  /** Milliseconds by which a client's clock and true time disagree in the end. */
  skewMs: number;
  errors: number;
}

async function symptoms(faults: FaultOptions): Promise<Symptoms> {
  const seen: Symptoms = { executedUnknown: 0, lostUnknown: 0, oversleeps: 0, forgotten: 0, skewMs: 0, errors: 0 };
  await simulate({ seed: 11, schedules: 60, clients: 1, faults }, async ({ clients, now }) => {
    const client = clients[0]!;
    let known = 0;
    while (now() < 3_500) {
      try {
        const reply = await client.hf.driver.send(["INCR", "n"], { op: "add", class: "unsafe" }, "n");
        if (Number(reply) <= known) seen.forgotten += 1;
        if (Number(reply) > known + 1) seen.executedUnknown += Number(reply) - known - 1;
        known = Number(reply);
      } catch (error) {
        seen.errors += 1;
        if (error instanceof OutcomeUnknownError) seen.lostUnknown += 1;
      }
      const [from, own] = [now(), client.now()];
      await client.sleep(20);
      if (now() - from > 25) seen.oversleeps += 1;
      seen.skewMs = Math.max(seen.skewMs, Math.abs(now() - from - (client.now() - own)));
    }
  });
  // What was executed after all was not lost.
  return { ...seen, lostUnknown: seen.lostUnknown - seen.executedUnknown };
}

describe("faults", () => {
  it("none happen where none are asked for", async () => {
    expect(await symptoms(NO_FAULTS)).toEqual({
      executedUnknown: 0,
      lostUnknown: 0,
      oversleeps: 0,
      forgotten: 0,
      skewMs: 0,
      errors: 0,
    });
  });

  it.each<[keyof FaultOptions, (seen: Symptoms) => boolean]>([
    ["lostAnswers", ({ executedUnknown }) => executedUnknown > 0],
    ["lostRequests", ({ lostUnknown }) => lostUnknown > 0],
    ["slowDeliveries", ({ errors }) => errors > 0],
    ["partitions", ({ errors }) => errors > 0],
    ["clientPauses", ({ oversleeps }) => oversleeps > 0],
    ["serverPauses", ({ errors }) => errors > 0],
    ["restarts", ({ errors, forgotten }) => errors > 0 && forgotten === 0],
    ["clockSkew", ({ skewMs }) => skewMs > 0 && skewMs <= 20 * 0.0051],
  ])("%s alone show what they are", async (kind, shows) => {
    const seen = await symptoms({ ...NO_FAULTS, [kind]: true });
    expect(seen).toSatisfy(shows);
  });

  it("data loss shows after restarts only", async () => {
    expect(await symptoms({ ...NO_FAULTS, restarts: true, dataLoss: true })).toSatisfy(
      ({ forgotten }: Symptoms) => forgotten > 0,
    );
  });
});

it("kill: nothing happens in a process that has died, and its lock ends by its ttl", async () => {
  await simulate({ schedules: 20, clients: 2, faults: NO_FAULTS }, async ({ clients: [one, other], now }) => {
    await one!.hf.lock("l", { ttl: "1s" }).acquire();
    let woke = false;
    void one!.sleep(100).then(() => (woke = true));
    one!.kill();
    const from = now();
    const lock = await other!.hf.lock("l", { ttl: "1s" }).acquire({ wait: "5s" });
    expect(lock.held).toBe(true);
    expect(now() - from).toBeGreaterThan(900);
    expect(now() - from).toBeLessThan(1_500);
    expect(woke).toBe(false);
  });
});

it("the body drives faults itself", async () => {
  await simulate(
    { schedules: 20, clients: 1, faults: NO_FAULTS },
    async ({ clients: [client], server, note, sleep }) => {
      const counter = client!.hf.counter("n");
      await counter.increment("a");
      note("now");
      server.restart(100);
      expect(await counter.get("a")).toBe(1);
      server.restart(100, "none");
      await sleep(1_000);
      expect(await counter.get("a")).toBe(0);
      client!.partition(200);
      client!.pause(100);
      server.pause(100);
      expect(await counter.increment("a")).toMatchObject({ value: 1 });
    },
  );
});

describe("several servers", () => {
  it("each has data, a clock and a fate of its own", async () => {
    const body = async ({ clients: [client, other], servers, server, now }: Simulation): Promise<void> => {
      const [first, second, third] = client!.handles.map((hf) => hf.counter("n"));
      expect([client!.handles.length, servers.map(({ name }) => name)]).toEqual([
        3,
        ["server-1", "server-2", "server-3"],
      ]);
      expect([client!.hf, server]).toEqual([client!.handles[0], servers[0]]);
      await second!.increment("a");
      expect(await Promise.all([first, second, third].map((counter) => counter!.get("a")))).toEqual([0, 1, 0]);

      servers[0]!.stepClock(3_600_000);
      const times = await Promise.all(client!.handles.map((hf) => hf.command("TIME")));
      const [ahead, behind] = times.map((reply) => Number((reply as Buffer[])[0]));
      expect(ahead! - behind!).toBeGreaterThanOrEqual(3_599);

      servers[1]!.restart(100, "none");
      servers[2]!.pause(400);
      client!.partition(300, [servers[0]!]);
      const from = now();
      const reached = async (hf: Holdfast): Promise<number> => hf.ping().then(() => now() - from);
      const others = other!.handles.map(reached);
      expect(await others[0]).toBeLessThan(50);
      expect(await reached(client!.handles[0]!)).toBeGreaterThanOrEqual(300);
      expect(await others[2]).toBeGreaterThanOrEqual(400);
      await others[1];
      expect(await second!.get("a")).toBe(0);
    };
    await simulate({ seed: 1, schedules: 5, clients: 2, servers: 3, faults: NO_FAULTS }, body);
  });

  it("each is met by the faults, and a seed repeats them", async () => {
    const run = async (): Promise<[unknown, Set<number>]> => {
      const hit = new Set<number>();
      const body = async ({ clients, now }: Simulation): Promise<void> => {
        const ask = async (hf: Holdfast, at: number): Promise<void> => {
          while (now() < 3_500) {
            await hf.ping().catch(() => hit.add(at));
            await clients[0]!.sleep(50);
          }
        };
        await Promise.all(clients[0]!.handles.map(ask));
      };
      return [await simulate({ seed: 3, schedules: 15, clients: 2, servers: 3 }, body), hit];
    };
    const [first, second] = [await run(), await run()];
    expect(second).toEqual(first);
    expect(first[1]).toEqual(new Set([0, 1, 2]));
  });
});

describe("a cluster", () => {
  /** How often the servers have sent somebody elsewhere, by how they said it. */
  async function redirections({ clients: [client] }: Simulation): Promise<Record<string, number>> {
    const { driver } = client!.hf;
    const counts: Record<string, number> = { MOVED: 0, ASK: 0, TRYAGAIN: 0 };
    for (const { id: node } of driver.nodes()) {
      const info = String(await driver.send(["INFO", "errorstats"], { op: "test", class: "read" }, { node }));
      for (const [, code = "", count] of info.matchAll(/errorstat_(\w+):count=(\d+)/g))
        if (Object.hasOwn(counts, code)) counts[code] = (counts[code] ?? 0) + Number(count);
    }
    return counts;
  }

  it("has its keys on three servers, and messages reach all of them", async () => {
    await simulate(
      { seed: 1, schedules: 5, clients: 2, servers: 3, cluster: true, faults: NO_FAULTS },
      async (simulation) => {
        const {
          clients: [client, other],
          servers,
          sleep,
        } = simulation;
        const { hf } = client!;
        expect([client!.handles.length, hf.driver.caps.cluster, hf.driver.nodes().length]).toEqual([1, true, 3]);
        const counter = hf.counter("n");
        await Promise.all(Array.from({ length: 60 }, (_, at) => counter.increment(at)));
        const sizes = await Promise.all(
          hf.driver.nodes().map(({ id: node }) => hf.driver.send(["DBSIZE"], { op: "test", class: "read" }, { node })),
        );
        expect(sizes.reduce<number>((sum, size) => sum + Number(size), 0)).toBe(60);
        expect(Math.min(...sizes.map(Number))).toBeGreaterThan(0);
        expect(servers).toHaveLength(3);
        const heard: string[] = [];
        await Promise.all(
          [hf, other!.hf].map((of) => of.channel<string>("c").subscribe((message) => void heard.push(message))),
        );
        await other!.hf.channel<string>("c").publish("hello");
        await sleep(100);
        expect(heard).toEqual(["hello", "hello"]);
      },
    );
  });

  it("moves a slot while it is in use: MOVED and ASK are followed, TRYAGAIN is tried again, and nothing is lost", async () => {
    const seen: Record<string, number> = { MOVED: 0, ASK: 0, TRYAGAIN: 0 };
    const body = async (simulation: Simulation): Promise<void> => {
      const { clients, cluster, servers, random } = simulation;
      const key = clients[0]!.hf.key("moving", "a");
      // So many that a move takes longer than the deadline of a call, which is 1 s.
      const others = Array.from({ length: 80 }, (_, at) => ["SET", `${key}:${at}`, "x"]);
      await clients[0]!.hf.driver.batch(others, { op: "set", class: "idempotent" }, key);
      let done = 0;
      const over = new AbortController();
      const work = clients.map(async (client) => {
        const { driver } = client.hf;
        for (let at = 0; !over.signal.aborted; at += 1) {
          await driver.send(["INCR", key], { op: "add", class: "unsafe" }, key);
          // Two keys of one slot, of which the second is new each time.
          const pair = [key, `${key}:${client.name}-${at}`];
          // It may have to wait for the end of the move for longer than its deadline.
          await unlessOutage(() => driver.send(["EXISTS", ...pair], { op: "has", class: "read" }, key));
          await driver.send(["SET", pair[1]!, "x", "PX", "100"], { op: "set", class: "idempotent" }, key);
          done += 1;
          await client.sleep(random.integer(1, 5));
        }
      });
      for (let round = 0; round < 3; round += 1) await cluster!.migrate(key, servers[round]!);
      over.abort();
      await Promise.all(work);
      expect(Number(await clients[0]!.hf.driver.send(["GET", key], { op: "get", class: "read" }, key))).toBe(done);
      for (const [code, count] of Object.entries(await redirections(simulation)))
        seen[code] = (seen[code] ?? 0) + count;
    };
    await simulate({ seed: 1, schedules: 3, clients: 2, servers: 3, cluster: true, faults: NO_FAULTS }, body);
    expect(Object.values(seen).every((count) => count > 0)).toBe(true);
  });

  it("slots that are in use move by themselves, and a seed repeats it", async () => {
    const faults = { ...NO_FAULTS, migrations: true };
    const totals: Record<string, number> = {};
    const run = () =>
      simulate({ seed: 5, schedules: 8, clients: 2, servers: 3, cluster: true, faults }, async (simulation) => {
        await adding(simulation);
        for (const [code, count] of Object.entries(await redirections(simulation)))
          totals[code] = (totals[code] ?? 0) + count;
      });
    const first = await run();
    expect(totals["MOVED"]! + totals["ASK"]!).toBeGreaterThan(0);
    expect(await run()).toEqual(first);
  });
});

async function failed(
  options: SimulateOptions,
  body: (simulation: Simulation) => Promise<void>,
): Promise<SimulationError> {
  const error: unknown = await simulate(options, body).catch((reason: unknown) => reason);
  if (error instanceof SimulationError) return error;
  throw new Error(`expected a SimulationError, got ${String(error)}`);
}
