/**
 * Whatever is lost, late, paused, killed or restarted in between, and while partitions move from member to member: what a transactional subscription has counted by key is exactly what
 * the log has, though handlers fail, messages die and are put back. The same checks find a commit that writes the state apart from the cursor, and one that is carried out twice.
 */
import { afterEach, expect, it, vi } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../../testing/index.ts";
import type { Topic } from "../topic.ts";
import { type Commit, OrderedStore } from "./store.ts";

const DURING_MS = 2_500;
const KEYS = 4;
const PARTITIONS = 2;
const OPTIONS = {
  transactional: true,
  start: "start",
  concurrency: 3,
  lease: 1_000,
  window: 20,
  maxDeliveries: 2,
  drain: 300,
  backoff: { delay: 20, max: 100 },
} as const;

const topicOf = ({ hf }: SimulatedClient): Topic<number> =>
  hf.topic<number>("events", { partitions: PARTITIONS, timeout: "500ms" });

async function counts(simulation: Simulation): Promise<void> {
  const { clients, random, note, now, sleep } = simulation;
  const last = clients.at(-1)!;
  let failing = 0.1;
  const settling = new AbortController();
  const subscriptions = clients.map((client, member) => {
    const topic = topicOf(client);
    const takesSeveral = random.chance(0.3);
    note(`${client.name} takes ${takesSeveral ? "several" : "one"}`);
    return takesSeveral
      ? topic.subscribeMany(
          "all",
          async (messages, { state }) => {
            for (const { key, payload } of messages) {
              state.increment(`count ${key}`);
              state.increment(`sum ${key}`, payload);
            }
            await client.sleep(random.integer(0, 60));
            if (random.chance(failing)) throw new Error("not this time");
          },
          { ...OPTIONS, size: 5, linger: 5 },
        )
      : topic.subscribe(
          "all",
          async ({ key, payload }, { state }) => {
            state.increment(`count ${key}`);
            await client.sleep(random.integer(0, 60));
            const sum = (await state.get<number>(`sum ${key}`)) ?? 0;
            if (random.chance(failing)) throw new Error("not this time");
            state.set(`sum ${key}`, sum + payload);
            note(`member ${member} has ${payload} of ${key}`);
          },
          OPTIONS,
        );
  });
  const publishing = async (client: SimulatedClient): Promise<void> => {
    const topic = topicOf(client);
    for (let number = 1; now() < DURING_MS; number += 1) {
      const sent = { key: `k${random.integer(0, KEYS - 1)}`, id: `${client.name}.${number}` };
      await unlessOutage(() => topic.publish(number, sent).catch(unknown));
      await client.sleep(random.integer(0, 60));
    }
  };
  const redriving = async (): Promise<void> => {
    while (!settling.signal.aborted) {
      await unlessOutage(() => topicOf(last).dead("all").redrive().catch(unknown));
      await last.sleep(random.integer(50, 300));
    }
  };
  const moving = async (): Promise<void> => {
    await sleep(random.integer(0, DURING_MS));
    if (random.chance(0.4)) clients[0]!.kill();
    else if (random.chance(0.5)) await Promise.race([subscriptions[0]!.close(), sleep(DURING_MS)]);
  };
  const redrives = redriving();
  await Promise.all([...clients.slice(1).map(publishing), moving(), sleep(DURING_MS)]);
  failing = 0;
  await untilIdle(last);
  settling.abort();
  await redrives;
  await check(last);
}

async function untilIdle(client: SimulatedClient): Promise<void> {
  const topic = topicOf(client);
  for (let round = 0; ; round += 1) {
    const lag = await untilTold(client, async () => (await topic.subscriptions.lag("all")) ?? { messages: -1 });
    const dead = await untilTold(client, () => topic.dead("all").count());
    if (lag.messages === 0 && dead === 0) return;
    if (round === 600) throw new Error(`${lag.messages} messages and ${dead} letters are left`);
    await client.sleep(100);
  }
}

/** What is kept is what the log has, to the last message. */
async function check(client: SimulatedClient): Promise<void> {
  const topic = topicOf(client);
  const state = topic.state("all");
  for (let at = 0; at < KEYS; at += 1) {
    const key = `k${at}`;
    const { messages } = await untilTold(client, () => topic.page({ key, limit: 1_000 }));
    const sum = messages.reduce((all, { payload }) => all + payload, 0);
    for (const [name, expected] of [
      [`count ${key}`, messages.length],
      [`sum ${key}`, sum],
    ] as const) {
      const found = await untilTold(client, async () => (await state.get<number>(name, { key })) ?? 0);
      if (found !== expected) throw new Error(`${name} is ${found}, and the log has ${expected}`);
    }
  }
}

/** An outcome that is not known is looked for in the log. */
function unknown(error: unknown): undefined {
  if (Object(error).code === "OUTCOME_UNKNOWN") return undefined;
  throw error;
}

afterEach(() => vi.restoreAllMocks());

it("counts exactly what the log has, wherever its partitions move", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(6), clients: 3 }, counts);
});

it("also where what was given up is executed late", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(4), clients: 3, faults: { lateCopies: true } }, counts);
});

it("the check finds a state that is written apart from the cursor", { timeout: 600_000 }, async () => {
  // oxlint-disable-next-line unbound-method
  const { commit } = OrderedStore.prototype;
  vi.spyOn(OrderedStore.prototype, "commit").mockImplementation(async function (this: OrderedStore, at, whole: Commit) {
    const writes = { sets: [], deletes: [], names: 0 };
    const state = { ...whole, number: whole.number * 2 - 1, cursor: whole.expected, at: 0, letters: [] };
    const first = await commit.call(this, at, state);
    return first === "ok" ? commit.call(this, at, { ...whole, number: whole.number * 2, writes }) : first;
  });
  await expect(simulate({ schedules: 40, seed: 1, clients: 3 }, counts)).rejects.toThrow(SimulationError);
});
