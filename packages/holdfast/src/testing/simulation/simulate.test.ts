/**
 * What could go wrong, and the test for it:
 * - a run cannot be repeated ....................................... "the same seed", "a failure"
 * - a fault never happens, or happens where it was not asked for ... "faults"
 * - a body that hangs is taken for one that works .................. "hangs"
 * - a process that was killed goes on ............................... "kill"
 */
import { describe, expect, it } from "vitest";
import { InvalidArgumentError, OutcomeUnknownError } from "../../base/errors.ts";
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

async function failed(
  options: SimulateOptions,
  body: (simulation: Simulation) => Promise<void>,
): Promise<SimulationError> {
  const error: unknown = await simulate(options, body).catch((reason: unknown) => reason);
  if (error instanceof SimulationError) return error;
  throw new Error(`expected a SimulationError, got ${String(error)}`);
}
