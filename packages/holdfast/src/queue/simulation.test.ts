/**
 * Nothing accepted is lost, whatever is lost, late, paused, killed or restarted in between: each job that `add` has promised is run to its end;
 * no job enters twice; a job's fence rises from run to run; no two acknowledgements of one job count. The same check finds that a
 * queue which pops its jobs loses them, so it can fail.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";
import type { QueueJob } from "./job.ts";

const DURING_MS = 3_000;
const LEASE_MS = 1_000;

type Handler = (job: Pick<QueueJob<number>, "id" | "payload" | "fence">) => Promise<void>;

/** A queue as the property sees it. */
interface Port {
  add(payload: number): Promise<unknown>;
  work(handler: Handler): { completed(): number };
  /** Whether nothing is left to do. */
  isEmpty(): Promise<boolean>;
}

const ours = ({ hf }: SimulatedClient): Port => {
  const queue = hf.queue<number>("jobs", {
    attempts: 100,
    maxCrashes: 1_000,
    backoff: { delay: 50 },
    timeout: "500ms",
  });
  return {
    add: (payload) => queue.add(payload),
    work(handler) {
      const worker = queue.work(handler, { concurrency: 3, lease: LEASE_MS, poll: 300 });
      return { completed: () => worker.stats().completed };
    },
    async isEmpty() {
      const { waiting, delayed, active } = await queue.counts();
      return waiting + delayed + active === 0;
    },
  };
};

/** A list that workers pop from: what is written by hand. */
const popped = (client: SimulatedClient): Port => {
  const { driver } = client.hf;
  const send = (...args: string[]): Promise<unknown> => driver.send(args, { op: "test", class: "unsafe" }, "list");
  return {
    add: (payload) => send("RPUSH", "list", String(payload)),
    work(handler) {
      let completed = 0;
      void (async () => {
        for (;;) {
          const payload = await unlessOutage(() =>
            send("LPOP", "list").then((reply) => (reply === null ? undefined : Number(reply))),
          );
          if (payload === undefined) await client.sleep(50);
          else
            await handler({ id: String(payload), payload, fence: 0 }).then(
              () => (completed += 1),
              () => undefined,
            );
        }
      })();
      return { completed: () => completed };
    },
    isEmpty: async () => (await driver.send(["LLEN", "list"], { op: "test", class: "read" }, "list")) === 0,
  };
};

function losesNothing(portOf: (client: SimulatedClient) => Port): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, note, sleep }) => {
    const accepted = new Set<number>();
    const ended = new Set<number>();
    const idOf = new Map<number, string>();
    const fenceOf = new Map<string, number>();
    let added = 0;

    const handle =
      (client: SimulatedClient): Handler =>
      async ({ id, payload, fence }) => {
        const known = idOf.get(payload) ?? id;
        idOf.set(payload, known);
        if (known !== id) throw fail(`job ${payload} entered twice`);
        const before = fenceOf.get(id) ?? -1;
        if (fence < before) throw fail(`job ${payload} has fence ${fence} after ${before}`);
        fenceOf.set(id, fence);
        note(`${client.name} runs ${payload} with ${fence}`);
        await client.sleep(random.integer(0, 400));
        if (random.chance(0.1)) throw new Error("not this time");
        ended.add(payload);
      };
    /** A handler's error would only be a failed run. */
    let broken: Error | undefined;
    const fail = (message: string): Error => (broken = new Error(message));

    const workers = clients.map((client) => portOf(client).work(handle(client)));
    await Promise.all(
      clients
        .map(async (client, at) => {
          const queue = portOf(client);
          while (now() < DURING_MS) {
            const payload = (added += 1);
            if ((await unlessOutage(() => queue.add(payload))) !== undefined) accepted.add(payload);
            await client.sleep(random.integer(0, 150));
            // One of them dies on the way; the last one never does.
            if (at === 0 && random.chance(0.03)) return client.kill();
          }
        })
        .map((work, at) => (at === 0 ? Promise.race([work, sleep(DURING_MS)]) : work)),
    );
    const witness = clients.at(-1)!;
    const queue = portOf(witness);
    for (
      let round = 0;
      !(await untilTold(witness, () => queue.isEmpty().then((isEmpty) => ({ isEmpty })))).isEmpty;
      round += 1
    ) {
      if (round === 600) throw new Error("the jobs do not end");
      await witness.sleep(100);
    }
    if (broken !== undefined) throw broken;
    const lost = [...accepted].filter((payload) => !ended.has(payload));
    if (lost.length > 0) throw new Error(`accepted and lost: ${lost.join(", ")}`);
    const counted = workers.reduce((sum, worker) => sum + worker.completed(), 0);
    if (counted > idOf.size) throw new Error(`${counted} acknowledgements of ${idOf.size} jobs count`);
  };
}

it("loses nothing that was accepted", { timeout: 600_000 }, async () => {
  // Each takes twenty times as long as those of other primitives: workers never rest.
  await simulate({ ...schedules(), clients: 3 }, losesNothing(ours));
});

it("the check finds that a queue which pops its jobs loses some", async () => {
  const search = simulate({ schedules: 100, seed: 1, clients: 3 }, losesNothing(popped));
  await expect(search).rejects.toThrow(SimulationError);
  await expect(search).rejects.toThrow(/accepted and lost/);
});
