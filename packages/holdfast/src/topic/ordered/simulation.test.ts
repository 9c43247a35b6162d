/**
 * Whatever is lost, late, paused, killed or restarted in between: each message that `publish` has promised is handled to its end; none of a key
 * begins before all in front of it have ended; a cursor never goes back, so no commit of a former owner counts; fences rise from owner to owner; and of
 * what has ended no owner repeats more than `window`. Where the server loses everything, each member's `onGap` says so, and what is published from then on is
 * handled; where it loses the end only, as in a failover, too. The same checks find a cursor that passes what is only read.
 */
import { afterEach, expect, it, vi } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../../testing/index.ts";
import type { TopicMessage } from "../message.ts";
import type { TopicSubscription } from "../subscription.ts";
import type { Topic } from "../topic.ts";
import type { TopicOrderedContext } from "./handling.ts";
import { Window } from "./window.ts";

const DURING_MS = 3_000;
const LEASE_MS = 1_000;
const WINDOW = 20;
const PARTITIONS = 2;
const KEYS = 5;

interface Numbered {
  readonly key: number;
  readonly number: number;
}

const topicOf = ({ hf }: SimulatedClient): Topic<Numbered> =>
  hf.topic<Numbered>("events", { partitions: PARTITIONS, timeout: "500ms" });

/** What all handlers have seen, together. */
class Witness {
  readonly ended = new Set<string>();
  broken: Error | undefined;
  readonly #simulation: Simulation;
  /** By partition, the highest fence, and what that owner has repeated. */
  readonly #owners = new Map<number, { fence: number; repeated: Set<string> }>();
  readonly #published = new Map<number, readonly string[]>();
  /** By partition and key. */
  readonly #lastEnded = new Map<string, number>();
  readonly #cursors = new Map<number, number>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  handlerOf(client: SimulatedClient) {
    return async (message: TopicMessage<Numbered>, { fence }: TopicOrderedContext): Promise<void> => {
      const { note, random } = this.#simulation;
      const { partition, offset } = message;
      const name = `${partition}:${offset}`;
      note(`${client.name} handles ${name} of key ${message.key} with ${fence}`);
      this.#begins(message, fence, name);
      await client.sleep(random.integer(0, 100));
      if (random.chance(0.05)) throw new Error("not this time");
      this.#ends(message, name);
    };
  }

  /** A look at the server's cursors. */
  async look(topic: Topic<Numbered>): Promise<void> {
    const lag = await unlessOutage(() => topic.subscriptions.lag("all"));
    for (const { partition, committed } of lag?.partitions ?? []) {
      const before = this.#cursors.get(partition) ?? 0;
      if (committed < before)
        this.#fail(`the cursor of partition ${partition} went back from ${before} to ${committed}`);
      this.#cursors.set(partition, committed);
    }
  }

  #begins({ partition, offset, key }: TopicMessage<Numbered>, fence: number, name: string): void {
    const owner = this.#owners.get(partition) ?? { fence: 0, repeated: new Set() };
    // A former owner's handler may still run, but is not the first to handle anything behind what it owned.
    const repeated = fence > owner.fence ? new Set<string>() : owner.repeated;
    if (fence > owner.fence) this.#owners.set(partition, { fence, repeated });
    // One that fails as it is repeated comes more than once.
    if (fence >= owner.fence && this.ended.has(name)) {
      repeated.add(name);
      if (repeated.size > WINDOW) this.#fail(`partition ${partition} repeats more than its window`);
    }
    const places = this.#published.get(partition) ?? [];
    const before = places.findLast((_, at) => at + 1 < offset && places[at]?.endsWith(` ${key}`));
    if (before !== undefined && !this.ended.has(before.split(" ")[0]!))
      this.#fail(`${name} of key ${key} has begun before ${before}`);
    const known = [...places];
    known[offset - 1] = `${name} ${key}`;
    this.#published.set(partition, known);
  }

  #ends({ key, partition, offset }: TopicMessage<Numbered>, name: string): void {
    if (this.ended.has(name)) return;
    this.ended.add(name);
    const last = this.#lastEnded.get(`${partition} ${key}`) ?? 0;
    if (offset < last) this.#fail(`${name} of key ${key} has ended for the first time behind ${last}`);
    this.#lastEnded.set(`${partition} ${key}`, offset);
  }

  #fail(message: string): void {
    this.broken ??= new Error(message);
  }
}

/** Publishes until the time is over; returns what was promised, by its place. */
async function publishing({ random, now }: Simulation, client: SimulatedClient, since = 0): Promise<string[]> {
  const topic = topicOf(client);
  const promised: string[] = [];
  for (let number = 0; now() < DURING_MS; number += 1) {
    const key = random.integer(0, KEYS - 1);
    const begunAt = now();
    const result = await unlessOutage(() =>
      topic.publish({ key, number }, { key: `k${key}`, id: `${client.name}.${number}` }).catch((error: unknown) => {
        if (Object(error).code === "OUTCOME_UNKNOWN") return undefined;
        throw error;
      }),
    );
    if (result !== undefined && result.status !== "full" && begunAt >= since)
      promised.push(`${result.partition}:${result.offset}`);
    await client.sleep(random.integer(0, 60));
  }
  return promised;
}

async function untilPassed(client: SimulatedClient, look: () => Promise<void>): Promise<void> {
  const topic = topicOf(client);
  for (let round = 0; ; round += 1) {
    const lag = await untilTold(client, async () => (await topic.subscriptions.lag("all")) ?? { messages: -1 });
    if (lag.messages === 0) return;
    if (round === 600) throw new Error(`${lag.messages} messages are not passed`);
    await look();
    await client.sleep(100);
  }
}

const OPTIONS = {
  start: "start",
  concurrency: 3,
  lease: LEASE_MS,
  window: WINDOW,
  maxDeliveries: 1_000,
  drain: 300,
  backoff: { delay: 50, max: 200 },
} as const;

async function losesNothing(simulation: Simulation): Promise<void> {
  const { clients, random, sleep } = simulation;
  const witness = new Witness(simulation);
  const last = clients.at(-1)!;
  const subscriptions = clients.map((client) => topicOf(client).subscribe("all", witness.handlerOf(client), OPTIONS));
  const watching = (async () => {
    for (let at = 0; at < 30; at += 1) {
      await witness.look(topicOf(last));
      await last.sleep(100);
    }
  })();
  const promised = await Promise.all([
    ...clients.slice(1).map((client) => publishing(simulation, client)),
    leaving(simulation, subscriptions[0]!),
    watching.then(() => []),
    sleep(DURING_MS).then(() => []),
  ]);
  await untilPassed(last, () => witness.look(topicOf(last)));
  if (witness.broken !== undefined) throw witness.broken;
  const lost = promised.flat().filter((name) => !witness.ended.has(name));
  if (lost.length > 0) throw new Error(`promised and lost: ${lost.join(", ")}`);
  if (random.chance(0.5)) await subscriptions.at(-1)!.close();
}

/** The first member dies, leaves, or stays. */
async function leaving({ clients, random, sleep }: Simulation, subscription: TopicSubscription): Promise<string[]> {
  await sleep(random.integer(0, DURING_MS));
  if (random.chance(0.4)) clients[0]!.kill();
  else if (random.chance(0.5)) await Promise.race([subscription.close(), sleep(DURING_MS)]);
  return [];
}

/** @param survivors what the server has after it died, once, in the middle */
const goesOn = (survivors: "none" | { readonly asOfMsAgo: number }) =>
  async function outlives(simulation: Simulation): Promise<void> {
    const { clients, server, now, sleep, random } = simulation;
    const last = clients.at(-1)!;
    const ended = new Set<string>();
    let resets = 0;
    const subscriptions = clients.map((client) =>
      topicOf(client).subscribe(
        "all",
        async ({ payload, partition, offset }) => {
          await client.sleep(random.integer(0, 40));
          ended.add(`${payload.key}.${payload.number} ${partition}:${offset}`);
        },
        { ...OPTIONS, onGap: ({ kind }) => void (resets += kind === "reset" ? 1 : 0) },
      ),
    );
    await Promise.all(subscriptions.map((each) => each.ready()));
    let backAt = Infinity;
    const loss = (async () => {
      await sleep(1_000);
      const asOf = typeof survivors === "string" ? 0 : survivors.asOfMsAgo;
      server.restart(50, survivors);
      await sleep(asOf + 50);
      backAt = now();
    })();
    const promised: string[] = [];
    const publish = async (client: SimulatedClient): Promise<void> => {
      const topic = topicOf(client);
      for (let number = 0; now() < DURING_MS; number += 1) {
        const key = random.integer(0, KEYS - 1);
        const begunAt = now();
        const sent = { key, number: number * clients.length + clients.indexOf(client) };
        const result = await unlessOutage(() => topic.publish(sent, { key: `k${key}` }).catch(() => undefined));
        if (result?.status === "ok" && begunAt > backAt)
          promised.push(`${sent.key}.${sent.number} ${result.partition}:${result.offset}`);
        await client.sleep(random.integer(0, 40));
      }
    };
    await Promise.all([loss, ...clients.map(publish)]);
    await untilPassed(last, async () => undefined);
    const lost = promised.filter((name) => !ended.has(name));
    if (lost.length > 0) throw new Error(`promised and lost: ${lost.join(", ")}`);
    if (survivors === "none" && resets === 0) throw new Error("nobody was told of the reset");
  };

const ONLY_LOSS = {
  lostAnswers: false,
  lostRequests: false,
  slowDeliveries: false,
  partitions: false,
  clientPauses: false,
  serverPauses: false,
  restarts: false,
} as const;

afterEach(() => vi.restoreAllMocks());

it(
  "loses nothing, keeps the order of each key, and accepts no commit of a former owner",
  { timeout: 600_000 },
  async () => {
    await simulate({ ...schedules(6), clients: 3 }, losesNothing);
  },
);

it("nor where what was given up is executed late", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(3), clients: 3, faults: { lateCopies: true } }, losesNothing);
});

it("goes on behind a server that has lost everything, and says so", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(3), clients: 2, faults: { ...ONLY_LOSS, clientPauses: true } }, goesOn("none"));
});

it(
  "goes on behind a failover that has lost the end: what is published from then on is handled",
  { timeout: 600_000 },
  async () => {
    await simulate({ ...schedules(4), clients: 2, faults: ONLY_LOSS }, goesOn({ asOfMsAgo: 200 }));
  },
);

it("the check finds a cursor that passes what is only read", { timeout: 600_000 }, async () => {
  vi.spyOn(Window.prototype, "finish").mockImplementation(function (this: Window) {
    this.jump(this.read);
  });
  const search = simulate({ schedules: 30, seed: 1, clients: 3 }, losesNothing);
  await expect(search).rejects.toThrow(SimulationError);
});
