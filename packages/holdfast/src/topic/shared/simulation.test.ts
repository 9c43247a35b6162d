/**
 * What could go wrong, and the test for each; the same check finds what acknowledgements without tokens do wrong:
 * - a message is handled by nobody .............................. "each message is handled, and none after it was acknowledged"
 * - one that is acknowledged is delivered again ................. the same
 * - two have one at a time, or an older delivery settles it ..... the same
 * - it is delivered again before its visibility is over ......... the same
 * - all of it where requests arrive late, and twice ............. "... where requests arrive late"
 * - subscriptions hang after faults, or leave something ......... "subscriptions handle all that was published"
 * - one that expires does so while its handlers run ............. "a subscription that expires is kept"
 * - one is not listed any more, as the list was evicted ......... "is listed again"
 * - and where the server loses its data ......................... "... where the server loses its data"
 */
import { expect, it } from "vitest";
import { CALM, schedules, unlessOutage, untilTold } from "../../../test/support/simulated.ts";
import { type FaultOptions, simulate, type SimulatedClient, type Simulation } from "../../testing/index.ts";
import { registryKeys } from "../subscriptions/registry.ts";
import { Topic } from "../topic.ts";
import { NOWHERE, type Settlement, type SettlementStatus, SharedStore, type Token } from "./store.ts";

const VISIBILITY_MS = 800;
const CHAOS_MS = 3_000;
const CALM_MS = 60_000;
const QUIET_MS = 6_000;
const LONG = { timeout: 600_000 };

type Settle = (
  client: SimulatedClient,
  store: SharedStore,
  settlements: readonly Settlement[],
) => Promise<SettlementStatus[]>;

const ours: Settle = (_, store, settlements) => store.settle(settlements);

/** Believes that what it has claimed is its own for ever. */
const naive: Settle = ({ hf }, store, settlements) =>
  Promise.all(
    settlements.map(async ({ token }) => {
      const call = { op: "test", class: "idempotent" } as const;
      const removed = await hf.driver.send(["ZREM", store.keys.state, token.member], call, store.keys.state);
      return Number(removed) === 1 ? "ok" : "stale";
    }),
  );

/** Who has what, as far as anybody has been answered. */
class Ledger {
  readonly handled = new Set<string>();
  readonly #acknowledged = new Set<string>();
  readonly #newest = new Map<string, Token>();

  claimed(token: Token, now: number): void {
    const { member } = token;
    if (this.#acknowledged.has(member)) throw new Error(`${member} is delivered after it was acknowledged`);
    const before = this.#newest.get(member);
    if (before !== undefined && before.dueAt > now) throw new Error(`${member} is delivered while another has it`);
    this.#newest.set(member, token);
    this.handled.add(member);
  }

  /** Before anything is sent that may let others have it. */
  givenUp({ member }: Token): void {
    this.#newest.delete(member);
  }

  acknowledged({ member, tag }: Token): void {
    const newest = this.#newest.get(member);
    if (newest !== undefined && newest.tag !== tag) throw new Error(`${member} was acknowledged by an older delivery`);
    this.#acknowledged.add(member);
  }
}

function consumed(settle: Settle): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, sleep, note }) => {
    const ledger = new Ledger();
    let published = 0;
    const publish = async (client: SimulatedClient): Promise<void> => {
      const topic = client.hf.topic<number>("t");
      while (now() < CHAOS_MS) {
        const size = random.integer(1, 4);
        const each = Array.from({ length: size }, () => unlessOutage(() => topic.publish(1)));
        for (const result of await Promise.all(each))
          if (result?.status === "ok") published = Math.max(published, result.offset);
        await client.sleep(random.integer(1, 300));
      }
    };
    const over = new AbortController();
    const consume = async (client: SimulatedClient): Promise<void> => {
      const source = Topic.sourceOf<number>(client.hf.topic<number>("t"));
      const parts = {
        core: source.core,
        topic: "t",
        subscription: "s",
        log: source.logs[0]!,
        timeoutMs: undefined,
        expiresMs: 0,
      };
      const store = new SharedStore({ ...parts, consumer: client.name });
      while (!over.signal.aborted) {
        const count = random.integer(1, 8);
        const claimed = await unlessOutage(() =>
          store.claim({ count, visibilityMs: VISIBILITY_MS, start: 0, seen: NOWHERE }),
        );
        if (claimed === undefined) {
          await client.sleep(50);
          continue;
        }
        const terms = { generation: claimed.generation, dueAt: claimed.now + VISIBILITY_MS };
        const fresh = Array.from({ length: claimed.count }, (_, at) => ({
          member: String(claimed.from + at),
          tag: 1,
          ...terms,
        }));
        const tokens = [...claimed.due.map((each) => ({ ...each, ...terms })), ...fresh];
        for (const token of tokens) ledger.claimed(token, claimed.now);
        if (tokens.length > 0)
          note(`${client.name} has ${tokens.map(({ member, tag }) => `${member}:${tag}`).join(" ")}`);
        await client.sleep(random.integer(0, 300));
        const gives = random.chance(0.2);
        if (gives) for (const token of tokens) ledger.givenUp(token);
        const verb: Settlement["verb"] = gives ? random.pick(["due", "release"]) : "ack";
        const settlements = tokens.map((token) => ({ token, verb, ms: 0 }));
        const statuses = tokens.length === 0 ? [] : await unlessOutage(() => settle(client, store, settlements));
        for (const [at, status] of (statuses ?? []).entries())
          if (verb === "ack" && status === "ok") ledger.acknowledged(tokens[at]!);
        await client.sleep(random.integer(1, now() < CHAOS_MS ? 60 : 300));
      }
    };
    const consumers = Promise.all(clients.map(consume));
    consumers.catch(() => undefined);
    await Promise.race([consumers, Promise.all(clients.map(publish))]);
    const missing = (): number | undefined =>
      Array.from({ length: published }, (_, at) => at + 1).find((offset) => !ledger.handled.has(String(offset)));
    for (const until = now() + CALM_MS; missing() !== undefined && now() < until;)
      await Promise.race([consumers, sleep(500)]);
    // What was given up, or never acknowledged, comes back within this.
    await Promise.race([consumers, sleep(VISIBILITY_MS * 2)]);
    over.abort();
    await consumers;
    if (missing() !== undefined) throw new Error(`${missing()} was handled by nobody`);
  };
}

it("each message is handled, and none after it was acknowledged; one has it at a time", LONG, async () => {
  await simulate({ ...schedules(5), clients: 3 }, consumed(ours));
});

it("each message is handled, and none after it was acknowledged, where requests arrive late", LONG, async () => {
  await simulate({ ...schedules(4), clients: 3, faults: { lateCopies: true } }, consumed(ours));
});

it("acknowledgements without tokens take messages from others, and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 100, seed: 1, clients: 3 }, consumed(naive))).rejects.toThrow(
    /older delivery|after it was/,
  );
});

function subscribed(keeps: boolean): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, sleep }) => {
    const handled = new Set<number>();
    const published = new Set<number>();
    let next = 0;
    const subscriptions = clients.map((client) =>
      client.hf.topic<number>("t").subscribe(
        "s",
        async (message, context) => {
          await client.sleep(random.integer(0, 100));
          if (random.chance(0.1)) throw new Error("fails");
          if (random.chance(0.1)) return context.retry({ delay: 10 });
          handled.add(message.payload);
        },
        {
          kind: "shared",
          start: "start",
          visibility: VISIBILITY_MS,
          poll: 500,
          maxDeliveries: 200,
          backoff: [10],
          concurrency: 3,
        },
      ),
    );
    const publish = async (client: SimulatedClient): Promise<void> => {
      const topic = client.hf.topic<number>("t");
      while (now() < CHAOS_MS) {
        next += 1;
        const message = next;
        const result = await unlessOutage(() => topic.publish(message));
        if (result?.status === "ok") published.add(message);
        await client.sleep(random.integer(1, 300));
      }
    };
    await Promise.all(clients.map(publish));
    await sleep(QUIET_MS);
    const late = await untilTold(clients[0]!, () => clients[0]!.hf.topic<number>("t").publish(-1));
    await sleep(QUIET_MS);
    if (late.status === "ok" && !handled.has(-1)) throw new Error("what is published last is not handled");
    if (!keeps) return;
    for (const message of published) if (!handled.has(message)) throw new Error(`${message} was handled by nobody`);
    const { messages } = await subscriptions[0]!.lag();
    if (messages !== 0) throw new Error(`${messages} are not settled`);
  };
}

it("subscriptions handle all that was published, and settle it", LONG, async () => {
  await simulate({ ...schedules(2), clients: 3 }, subscribed(true));
});

it("a subscription that expires is kept while its only handler runs, or it is paused", LONG, async () => {
  await simulate({ schedules: 1, seed: 1, clients: 1, faults: CALM }, async ({ clients: [client], sleep }) => {
    const topic = client!.hf.topic<number>("t");
    await topic.publish(1);
    let runs = 0;
    const handler = async (): Promise<void> => {
      runs += 1;
      await client!.sleep(100_000);
    };
    const options = { kind: "shared", start: "start", expires: "1m", concurrency: 1, prefetch: 0 } as const;
    const subscription = topic.subscribe("s", handler, options);
    await sleep(150_000);
    expect(runs).toBe(1);
    expect(subscription.stats()).toMatchObject({ handled: 1 });
    await subscription.pause();
    await sleep(150_000);
    expect(await subscription.lag()).toMatchObject({ messages: 0, partitions: [{ committed: 1 }] });
  });
});

it("a subscription that never expires is listed again where the list was evicted", LONG, async () => {
  await simulate(
    { schedules: 1, seed: 1, clients: 1, faults: CALM, limit: "3h" },
    async ({ clients: [client], sleep }) => {
      const { hf } = client!;
      const topic = hf.topic<number>("t");
      await using subscription = topic.subscribe("all", () => undefined, { kind: "shared", expires: false });
      await subscription.ready();
      const { names } = registryKeys(Topic.sourceOf(topic).core, "t", "all");
      await hf.driver.send(["DEL", names], { op: "test", class: "idempotent" }, names);
      await sleep(2 * 3_600_000);
      expect(await topic.subscriptions.list()).toEqual([{ name: "all", kind: "shared" }]);
    },
  );
});

it("subscriptions go on where the server loses its data", LONG, async () => {
  const faults: FaultOptions = { dataLoss: true };
  await simulate({ ...schedules(2), clients: 3, faults }, subscribed(false));
});
