/**
 * What could go wrong, and the test for each; the same check finds what is written by hand:
 * - a reader's map is not the state in the end ................ "every map is the state"
 * - a reader sees a key go back, or twice the same .............. the same
 * - a reader keeps a key that was deleted ....................... the same; found: "a snapshot beside the log"
 * - a server that loses what it had is not noticed .............. "a server that loses what it had"
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../../test/support/simulated.ts";
import type { SimulatedClient, Simulation } from "../../testing/index.ts";
import { simulate } from "../../testing/index.ts";
import { partitionOf } from "../partition.ts";
import type { LatestTopic } from "./latest-topic.ts";

const LONG = { timeout: 600_000 };
const PUBLISHERS = 2;
const CHANGES = 16;
const KEYS = 5;
const PARTITIONS = 2;
/** One in each partition: between those there is no order. */
const LAST = Array.from({ length: PARTITIONS }, (_, partition) =>
  ["last", "later", "end", "done", "over"].find((key) => partitionOf(key, PARTITIONS) === partition)!,
);

interface Reader {
  set(key: string, value: number): void;
  delete(key: string): void;
  reset(): void;
}

/** Reads until `isOver` says so. */
type Read = (client: SimulatedClient, reader: Reader, isOver: () => boolean) => Promise<void>;

const topicOf = ({ hf }: SimulatedClient): LatestTopic<number> =>
  hf.topic<number>("t", { latest: true, maxMessages: 4, partitions: PARTITIONS });

/** Ours; now and then it goes on in another follower, from its position. */
const ours: Read = async (client, reader, isOver) => {
  for (let from: string | undefined = undefined; !isOver();) {
    let left = 7;
    for await (const change of topicOf(client).follow(from === undefined ? {} : { from })) {
      from = change.position;
      if (change.type === "set") reader.set(change.key, change.value);
      if (change.type === "delete") reader.delete(change.key);
      if (change.type === "reset") reader.reset();
      left -= 1;
      if (isOver() || left === 0) break;
    }
  }
};

/** What many write: the messages that the log still has, and what it has not they fetch by key, whenever they are told of a gap. */
const besideTheLog: Read = async (client, reader, isOver) => {
  const topic = topicOf(client);
  const fetch = async (): Promise<void> => {
    const keys = Array.from({ length: KEYS }, (_, at) => `k${at}`);
    for (const [key, { payload }] of (await unlessOutage(() => topic.getMany(keys))) ?? []) reader.set(key, payload);
  };
  const stream = topic.messages({ from: "start", onGap: ({ kind }) => (kind === "reset" ? reader.reset() : fetch()) });
  await fetch();
  for await (const { key, payload, tombstone } of stream) {
    if (tombstone) reader.delete(key!);
    else reader.set(key!, payload!);
    if (isOver()) return;
  }
};

function following(read: Read): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random }) => {
    const left = { publishers: PUBLISHERS, readers: clients.length - PUBLISHERS };
    /** Of each publisher its own keys, so that it knows what they are. */
    const state = new Map<string, number>();
    let isLost = false;
    const publisher = async (client: SimulatedClient, own: number): Promise<void> => {
      const topic = topicOf(client);
      for (let at = 1; at <= CHANGES; at += 1) {
        const key = `k${own + PUBLISHERS * random.integer(0, Math.floor((KEYS - 1 - own) / PUBLISHERS))}`;
        const id = `${client.name} ${at}`;
        if (random.integer(0, 3) === 0) {
          await untilTold(client, () => topic.delete(key, { id }));
          state.delete(key);
        } else {
          await untilTold(client, () => topic.set(key, at, { id }));
          state.set(key, at);
        }
        await client.sleep(random.integer(0, 300));
      }
      left.publishers -= 1;
      // Again and again, so that each reader looks whether it is over.
      for (let at = 0; left.publishers === 0 && left.readers > 0; await client.sleep(500)) {
        at += 1;
        await Promise.all(LAST.map((key) => untilTold(client, () => topic.set(key, at))));
      }
    };
    const reader = async (client: SimulatedClient): Promise<void> => {
      const map = new Map<string, number>();
      const highest = new Map<string, number>();
      await read(
        client,
        {
          set(key, value) {
            if (value <= (highest.get(key) ?? 0)) throw new Error(`${client.name} saw ${key} go back to ${value}`);
            highest.set(key, value);
            map.set(key, value);
          },
          delete: (key) => void map.delete(key),
          reset: () => {
            isLost = true;
            map.clear();
            highest.clear();
          },
        },
        () => left.publishers === 0 && LAST.every((key) => map.has(key)),
      );
      left.readers -= 1;
      // What a server loses that was acknowledged nobody has.
      if (isLost) return;
      for (const key of LAST) map.delete(key);
      const texts = [map, state].map((each) => JSON.stringify([...each].toSorted(([a], [b]) => (a < b ? -1 : 1))));
      if (texts[0] !== texts[1]) throw new Error(`${client.name} has ${texts[0]} where the state is ${texts[1]}`);
    };
    await Promise.all(clients.map((client, at) => (at < PUBLISHERS ? publisher(client, at) : reader(client))));
  };
}

it("every map is the state in the end, and no key goes back", LONG, async () => {
  await simulate({ ...schedules(8), clients: 4 }, following(ours));
});

it("a server that loses what it had is told, and no key goes back", LONG, async () => {
  await simulate({ ...schedules(8), clients: 4, faults: { dataLoss: true } }, following(ours));
});

it("a snapshot beside the log goes back or keeps what was deleted, and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 200, seed: 1, clients: 4 }, following(besideTheLog))).rejects.toThrow(
    /go back|where the state is/,
  );
});
