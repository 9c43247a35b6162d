/**
 * Whatever is lost, late, paused, killed or restarted in between: each message that was promised is handled to its end, though many of them die and are put back again and
 * again by whoever is there; none of a key that came back begins before one that came back before it has ended. The same checks find a letter that is settled when it is read.
 */
import { afterEach, expect, it, vi } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../../testing/index.ts";
import type { Topic } from "../topic.ts";
import { Share } from "./share.ts";

const DURING_MS = 2_000;
const KEYS = 3;
const OPTIONS = {
  start: "start",
  concurrency: 3,
  lease: 1_000,
  window: 20,
  maxDeliveries: 1,
  drain: 300,
} as const;

const topicOf = ({ hf }: SimulatedClient): Topic<number> =>
  hf.topic<number>("events", { partitions: 2, timeout: "500ms" });

async function putsBack(simulation: Simulation): Promise<void> {
  const { clients, random, note, now } = simulation;
  const last = clients.at(-1)!;
  const ended = new Set<number>();
  let failing = 0.4;
  const settling = new AbortController();
  /** By key and process, letters in work: no two of a key in one process. */
  const running = new Set<string>();
  const broken: string[] = [];
  for (const client of clients) {
    topicOf(client).subscribe(
      "all",
      async ({ payload, key, redriven }, { fence }) => {
        const lane = `${key} ${fence}`;
        if (running.has(lane)) broken.push(`two of ${lane} at once`);
        running.add(lane);
        note(`${client.name} handles ${payload} of ${key}${redriven ? " again" : ""}`);
        await client.sleep(random.integer(0, 60));
        running.delete(lane);
        if (random.chance(failing)) throw new Error("not this time");
        ended.add(payload);
      },
      OPTIONS,
    );
  }
  const promised: number[] = [];
  const publishing = async (): Promise<void> => {
    const topic = topicOf(last);
    for (let number = 0; now() < DURING_MS; number += 1) {
      const key = `k${random.integer(0, KEYS - 1)}`;
      const result = await unlessOutage(() =>
        topic.publish(number, { key, id: String(number) }).catch((error: unknown) => {
          if (Object(error).code === "OUTCOME_UNKNOWN") return undefined;
          throw error;
        }),
      );
      if (result?.status === "ok" || result?.status === "duplicate") promised.push(number);
      await last.sleep(random.integer(0, 60));
    }
  };
  const redriving = async (client: SimulatedClient): Promise<void> => {
    while (!settling.signal.aborted) {
      await unlessOutage(() => topicOf(client).dead("all").redrive().catch(unknown));
      await client.sleep(random.integer(50, 300));
    }
  };
  const killing = async (): Promise<void> => {
    await simulation.sleep(random.integer(0, DURING_MS));
    if (random.chance(0.5)) clients[0]!.kill();
  };
  const redrives = redriving(last);
  await Promise.all([publishing(), killing()]);
  failing = 0;
  for (let round = 0; ; round += 1) {
    const topic = topicOf(last);
    const lag = await untilTold(last, async () => (await topic.subscriptions.lag("all")) ?? { messages: -1 });
    const dead = await untilTold(last, () => topic.dead("all").count());
    if (lag.messages === 0 && dead === 0) break;
    if (round === 600) throw new Error(`${lag.messages} messages and ${dead} letters are left`);
    await last.sleep(100);
  }
  settling.abort();
  await redrives;
  if (broken.length > 0) throw new Error(broken.join(", "));
  const lost = promised.filter((number) => !ended.has(number));
  if (lost.length > 0) throw new Error(`promised and lost: ${lost.join(", ")}`);
}

/** An outcome that is not known is as good as none: it is put back again. */
function unknown(error: unknown): undefined {
  if (Object(error).code === "OUTCOME_UNKNOWN") return undefined;
  throw error;
}

afterEach(() => vi.restoreAllMocks());

it("loses none of them, whoever dies", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(5), clients: 3 }, putsBack);
});

it("nor where what was given up is executed late", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(3), clients: 3, faults: { lateCopies: true } }, putsBack);
});

it("the check finds a letter that is settled when it is read", { timeout: 600_000 }, async () => {
  // oxlint-disable-next-line unbound-method
  const { add } = Share.prototype;
  vi.spyOn(Share.prototype, "add").mockImplementation(function (this: Share, work) {
    if (work.letter !== undefined) this.skipLetter(work.letter);
    return add.call(this, work);
  });
  const search = simulate({ schedules: 30, seed: 1, clients: 3 }, putsBack);
  await expect(search).rejects.toThrow(SimulationError);
});
