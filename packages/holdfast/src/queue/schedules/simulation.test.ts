/**
 * Each tick has exactly one job, whatever is lost, late, paused, killed or restarted, although every process sets the schedule, changes
 * what its jobs carry and ticks it, and the server's clock is set forward and back: the jobs that were added are those of consecutive
 * ticks, none missing and none twice. The same check finds that a ticker which reads first and writes afterwards doubles or
 * misses some, so it can fail.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../../testing/index.ts";

const EVERY_MS = 100;
const DURING_MS = 3_000;

/** What the property asks of a process. */
interface Port {
  /** As every process does at its start, and now and then again. */
  set(payload: number): Promise<unknown>;
  /** Ticks from now on. */
  tick(): void;
  /** The ticks that have a job, in the order in which they were added. */
  added(): Promise<number[]>;
}

const list = async ({ hf }: SimulatedClient, key: string): Promise<string[]> =>
  ((await hf.driver.send(["LRANGE", key, "0", "-1"], { op: "test", class: "read" }, key)) as Buffer[]).map(String);

const ours = (client: SimulatedClient): Port => {
  const mine = client.hf.queue<number>("jobs", { timeout: 500 }).schedules;
  return {
    set: (payload) => mine.set("s", { every: EVERY_MS, payload, missed: { catchUp: 1_000 } }),
    tick: () => void mine.run({ poll: 300 }),
    added: async () => (await list(client, "hf:queue:{jobs}:normal")).map((id) => Number(id.split("@")[1])),
  };
};

/** Reads when the next tick is, and adds its job where it has come: what is written by hand. */
const byHand = (client: SimulatedClient): Port => {
  const send = (...args: string[]) => client.hf.driver.send(args, { op: "test", class: "idempotent" }, "next");
  const now = async (): Promise<number> => {
    const [seconds, micros] = (await send("TIME")) as Buffer[];
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  };
  const tickOnce = async (): Promise<true> => {
    const next = Number(await send("GET", "next"));
    if (next === 0 || (await now()) < next) return true;
    await send("RPUSH", "list", String(next));
    await send("SET", "next", String(next + EVERY_MS));
    return true;
  };
  return {
    set: async () => send("SET", "next", String(Math.ceil((await now()) / EVERY_MS) * EVERY_MS), "NX"),
    tick: () =>
      void (async () => {
        for (;;) {
          await unlessOutage(tickOnce);
          await client.sleep(20);
        }
      })().catch(() => undefined),
    added: async () => (await list(client, "list")).map(Number),
  };
};

function ticksEachOnce(portOf: (client: SimulatedClient) => Port): (simulation: Simulation) => Promise<void> {
  return async ({ clients, server, random, now, sleep }) => {
    let payload = 0;
    await Promise.all(
      clients
        .map(async (client, at) => {
          const port = portOf(client);
          await untilTold(client, async () => ({ set: await port.set(0) }));
          port.tick();
          while (now() < DURING_MS) {
            await client.sleep(random.integer(50, 500));
            if (random.chance(0.3)) await unlessOutage(() => port.set((payload += 1)));
            if (random.chance(0.1)) server.stepClock(random.integer(-800, 800));
            // One of them dies on the way; the last one never does.
            if (at === 0 && random.chance(0.1)) return client.kill();
          }
        })
        .map((work, at) => (at === 0 ? Promise.race([work, sleep(DURING_MS)]) : work)),
    );
    const witness = clients.at(-1)!;
    const port = portOf(witness);
    const before = (await untilTold(witness, () => port.added())).length;
    for (let round = 0; (await untilTold(witness, () => port.added())).length < before + 5; round += 1) {
      if (round === 600) throw new Error("it ticks no more");
      await witness.sleep(50);
    }
    const ticks = await untilTold(witness, () => port.added());
    const wrong = ticks.find((tick, at) => tick !== ticks[0]! + at * EVERY_MS);
    if (wrong !== undefined)
      throw new Error(`missed or doubled at ${wrong - ticks[0]!}: ${ticks.map((tick) => tick - ticks[0]!).join(" ")}`);
  };
}

it("a tick is neither missed nor doubled", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, ticksEachOnce(ours));
});

it("a late copy of a tick does not double it where connections are not fenced", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(8), clients: 3, faults: { lateCopies: true } }, ticksEachOnce(ours));
});

it("the check finds that a ticker which reads first and writes afterwards misses or doubles", async () => {
  const search = simulate({ schedules: 100, seed: 1, clients: 3 }, ticksEachOnce(byHand));
  await expect(search).rejects.toThrow(SimulationError);
  await expect(search).rejects.toThrow(/missed or doubled/);
});
