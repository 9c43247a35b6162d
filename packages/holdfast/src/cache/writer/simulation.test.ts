/**
 * Nothing accepted is lost, each entry's last write reaches the database, and nobody reads an older value than one that was accepted, whatever is lost,
 * late, paused or restarted in between; a database that compares versions never goes back. The same check finds what a writer without pending writes in front
 * of its loads, and a database without versions, do wrong, so it can fail.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../../testing/index.ts";
import type { Cache } from "../cache.ts";
import type { CacheWrite } from "./options.ts";

const KEYS = ["a", "b", "c"];
const DURING_MS = 4_000;

interface Row {
  readonly value: number;
  readonly version: number;
}

type CacheOf = (client: SimulatedClient, write: CacheWrite<number>) => Cache<number>;

/** A short ttl: entries go while their writes wait. */
const SETTINGS = { ttl: "300ms", loadLease: "400ms", loadTimeout: "2s", timeout: "150ms", onOutage: "throw" } as const;
const WRITER = {
  mode: "behind",
  linger: "50ms",
  poll: "200ms",
  writeTimeout: "300ms",
  claim: "500ms",
  backoff: "50ms",
  maxBackoff: "200ms",
  drainTimeout: 0,
  onError: () => undefined,
} as const;

const ours: CacheOf = ({ hf }, write) => hf.cache<number>("rows", { ...SETTINGS, writer: { ...WRITER, write } });

/** As it is read by one who does not know of the writer. */
const ignorant: CacheOf = ({ hf }, write) => {
  const [cache, plain] = [ours({ hf } as SimulatedClient, write), hf.cache<number>("rows", SETTINGS)];
  cache.getOrSet = plain.getOrSet.bind(plain);
  return cache;
};

function nothingLost(cacheOf: CacheOf, hasVersions = true): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, note }) => {
    const rows = new Map<string, Row>();
    const accepted = new Map<string, number>();
    let next = 1;
    let settled = false;

    const writerOf =
      (client: SimulatedClient): CacheWrite<number> =>
      async (entries) => {
        // Some fail before, some after the database has them, some come late.
        await client.sleep(random.integer(0, random.chance(0.1) && !settled ? 900 : 30));
        if (!settled && random.chance(0.1)) throw new Error("before");
        for (const { id, value = 0, version } of entries) {
          if (hasVersions && (rows.get(id)?.version ?? 0) > version) continue;
          rows.set(id, { value, version });
          note(`${client.name} has written ${id} ${value}`);
        }
        if (!settled && random.chance(0.1)) throw new Error("after");
      };

    /** One client writes an entry at a time, so that it is known which write is the last. */
    const writing = new Set<string>();
    const write = async (client: SimulatedClient, cache: Cache<number>, id: string): Promise<void> => {
      if (writing.has(id)) return;
      writing.add(id);
      const value = (next += 1);
      await untilTold(client, () => cache.write(id, value));
      accepted.set(id, value);
      note(`${client.name} has ${id} ${value} accepted`);
      writing.delete(id);
    };
    const read = async (client: SimulatedClient, cache: Cache<number>, id: string): Promise<void> => {
      const atLeast = accepted.get(id) ?? 0;
      const load = async (): Promise<number> => {
        const value = rows.get(id)?.value ?? 0;
        await client.sleep(random.integer(0, 200));
        return value;
      };
      const value = await unlessOutage(async () => cache.getOrSet(id, load));
      if (value !== undefined && value < atLeast) throw new Error(`${client.name} got ${id} ${value} after ${atLeast}`);
    };

    await Promise.all(
      clients.map(async (client) => {
        const cache = cacheOf(client, writerOf(client));
        const reads: Promise<void>[] = [];
        const failures: unknown[] = [];
        while (now() < DURING_MS && failures.length === 0) {
          const id = random.pick(KEYS);
          if (random.chance(0.4)) await write(client, cache, id);
          else reads.push(read(client, cache, id).catch((error: unknown) => void failures.push(error)));
          await client.sleep(random.integer(0, 150));
        }
        await Promise.all(reads);
        if (failures.length > 0) throw failures[0];
        settled = true;
        for (;;) {
          const lag = await unlessOutage(() => cache.writer.lag());
          if (lag?.count === 0) break;
          await client.sleep(200);
        }
      }),
    );
    for (const client of clients) await client.sleep(2_000);
    for (const [id, value] of accepted) {
      const inDatabase = rows.get(id)?.value ?? 0;
      if (inDatabase < value) throw new Error(`the database has ${id} ${inDatabase}, and ${value} was accepted`);
    }
  };
}

it("nothing accepted is lost, and nobody reads an older value", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, nothingLost(ours));
});

it(
  "a reader that does not know what waits gets older values, and the simulation finds it",
  { timeout: 600_000 },
  async () => {
    const search = simulate({ schedules: 100, seed: 1, clients: 3 }, nothingLost(ignorant));
    await expect(search).rejects.toThrow(SimulationError);
  },
);

it("a database without versions goes back, and the simulation finds it", { timeout: 600_000 }, async () => {
  const search = simulate({ schedules: 300, seed: 1, clients: 3 }, nothingLost(ours, false));
  await expect(search).rejects.toThrow(SimulationError);
});
