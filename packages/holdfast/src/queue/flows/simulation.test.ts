/**
 * Under kills, lost replies, late copies, pauses, skews and restarts: a job runs only after all that it waits for have ended, nothing waits for
 * ever, each callback of a batch is called exactly once, and what a job that is given up did is undone. The same check finds that news that
 * is thrown away as soon as it is read leaves jobs waiting, so it can fail.
 */
import { expect, it, vi } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../../testing/index.ts";
import { Discard } from "../failure.ts";
import type { QueueJob } from "../job.ts";
import type { Queue } from "../queue.ts";
import { FlowStore } from "./flow-store.ts";

const DURING_MS = 1_500;
/** What a batch's callbacks are called by, one after the other: a run that was repeated has the id of the first one. */
type Calls = Map<string, Set<string>>;

const queueOf = ({ hf }: SimulatedClient): Queue<string> =>
  hf.queue<string>("jobs", { attempts: 20, maxCrashes: 1_000, backoff: { delay: 20, max: 100 }, timeout: "500ms" });

function endsEachFlow(rounds: number): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, sleep }) => {
    const ended = new Set<string>();
    const done = new Set<string>();
    const undone = new Set<string>();
    const calls: Calls = new Map();
    const accepted = new Set<string>();
    let broken: Error | undefined;
    let names = 0;

    const leaf = async (name: string): Promise<void> => {
      if (name.endsWith("!")) throw new Discard("as it should be");
      if (random.chance(0.1)) throw new Error("not this time");
      ended.add(name);
    };
    const handle =
      (client: SimulatedClient, queue: Queue<string>) =>
      async (job: QueueJob<string>): Promise<void> => {
        const [kind, name = ""] = job.payload.split(" ");
        await client.sleep(random.integer(0, 100));
        if (kind === "leaf") return leaf(name);
        if (kind === "call") return void calls.set(name, (calls.get(name) ?? new Set()).add(job.id));
        if (kind === "parent" || kind === "middle") {
          const early = [`${name}.a`, `${name}.b`].filter((child) => !ended.has(child));
          if (early.length > 0 && kind === "middle") broken = new Error(`${name} runs before ${early.join()}`);
          if (kind === "parent" && !ended.has(name)) broken = new Error(`the flow ${name} runs before its middle`);
          ended.add(kind === "middle" ? name : `flow ${name}`);
          return;
        }
        await job.step("do", () => void done.add(name));
        await job.compensate("undo", () => void undone.add(name));
        await job.spawn("one", [queue.child(`leaf ${name}${name.length % 2 === 0 ? "!" : ".c"}`)]);
        ended.add(`saga ${name}`);
      };
    const flow = (queue: Queue<string>, name: string): Promise<unknown> => {
      const leaves = ["a", "b"].map((letter) => queue.child(`leaf ${name}.${letter}`));
      return queue.add(`parent ${name}`, { children: [queue.child(`middle ${name}`, { children: leaves })] });
    };
    const batch = async (queue: Queue<string>, name: string): Promise<void> => {
      const bad = random.chance(0.5) ? "!" : "";
      const calling = {
        id: name,
        onComplete: `call ${name}-complete`,
        onSuccess: `call ${name}-success`,
        onDead: `call ${name}-dead`,
      };
      const opened = queue.batch(calling);
      await opened.add([queue.child(`leaf ${name}.x`), queue.child(`leaf ${name}.y${bad}`)]);
      await opened.close();
      // Whoever closes it again opens no other one.
      await queue.batch(calling).close();
    };

    for (const client of clients) {
      const queue = queueOf(client);
      queue.work(handle(client, queue), { concurrency: 3, lease: "1s", poll: 300 });
    }
    await Promise.all(
      clients
        .map(async (client, at) => {
          const queue = queueOf(client);
          for (let round = 0; round < rounds && now() < DURING_MS; round += 1) {
            const name = `n${(names += 1)}`;
            const one = round % 3 === 0 ? flow : round % 3 === 1 ? batch : (q: Queue<string>) => q.add(`saga ${name}`);
            const wasAdded = await unlessOutage(() => one(queue, name).then(() => true));
            if (wasAdded === true) accepted.add(`${["flow", "batch", "saga"][round % 3]} ${name}`);
            await client.sleep(random.integer(0, 150));
            if (at === 0 && random.chance(0.1)) return client.kill();
          }
        })
        .map((work, at) => (at === 0 ? Promise.race([work, sleep(DURING_MS)]) : work)),
    );
    const witness = clients.at(-1)!;
    const queue = queueOf(witness);
    /** Of a batch that was accepted and is closed all callbacks are over; of one whose process died in the middle they may wait. */
    const isOver = () =>
      [...accepted].every((what) => {
        const [kind, name = ""] = what.split(" ");
        if (kind === "flow") return ended.has(what);
        if (kind === "saga") return ended.has(what) || undone.has(name);
        return calls.has(`${name}-complete`) && (calls.has(`${name}-success`) || calls.has(`${name}-dead`));
      }) && [...done].every((name) => ended.has(`saga ${name}`) || undone.has(name));
    const left = () => queue.counts().then(({ waiting, delayed, active }) => ({ count: waiting + delayed + active }));
    for (let round = 0; !isOver() || (await untilTold(witness, left)).count > 0; round += 1) {
      if (round === 300) throw new Error("something waits for ever");
      await witness.sleep(100);
    }
    if (broken !== undefined) throw broken;
    for (const [name, ids] of calls) if (ids.size > 1) throw new Error(`${name} was called twice`);
    for (const name of calls.keys())
      if (name.endsWith("-success") && calls.has(name.replace("success", "dead")))
        throw new Error(`${name}, and it is dead`);
  };
}

it("runs what waits after what it waits for, once, and leaves nothing waiting", { timeout: 300_000 }, async () => {
  await simulate({ ...schedules(6), clients: 3 }, endsEachFlow(9));
});

it("the check finds that news thrown away as it is read leaves something waiting", { timeout: 300_000 }, async () => {
  // oxlint-disable-next-line unbound-method
  const { tell } = FlowStore.prototype;
  let news = 0;
  const lossy = vi.spyOn(FlowStore.prototype, "tell").mockImplementation(function (this: FlowStore, ended) {
    news += 1;
    return news % 5 === 0 ? Promise.resolve(0) : tell.call(this, ended);
  });
  try {
    const search = simulate({ schedules: 3, seed: 1, clients: 3 }, endsEachFlow(9));
    await expect(search).rejects.toThrow(SimulationError);
    await expect(search).rejects.toThrow(/waits for ever/);
  } finally {
    lossy.mockRestore();
  }
});
