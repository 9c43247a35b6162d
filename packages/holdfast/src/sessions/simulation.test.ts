/**
 * No resurrection: once the end of a session was confirmed nobody sees it again, and nothing of it is left on the server,
 * whatever requests were still under way with it. The same check finds what reading a session and writing it back does wrong.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";

const DURING_MS = 4_000;

interface Data {
  visits: number;
}

interface Store {
  create(): Promise<string>;
  /** What a request does: reads the session and changes it. False where there is none. */
  visit(id: string): Promise<boolean>;
  exists(id: string): Promise<boolean>;
  /** Ends it, by itself or with all of its user's. */
  end(id: string, all: boolean): Promise<unknown>;
}

type StoreOf = (client: SimulatedClient) => Store;

const ours: StoreOf = ({ hf }) => {
  const sessions = hf.sessions<Data>({ idleTimeout: "1m", touchAfter: 0 });
  return {
    async create() {
      const created = await sessions.create({ user: "ada", data: { visits: 0 } });
      if (created.status !== "ok") throw new Error("refused");
      return created.id;
    },
    async visit(id) {
      const session = await sessions.get(id);
      if (session === undefined) return false;
      return (await sessions.patch(id, { visits: session.data.visits + 1 })).status !== "revoked";
    },
    exists: async (id) => (await sessions.get(id)) !== undefined,
    end: async (id, all) => (all ? sessions.revokeAll("ada") : sessions.destroy(id)),
  };
};

/** As express-session does it with a plain store: what was read is written back at the end of the request. */
const naive: StoreOf = ({ hf: { driver }, name }) => {
  let created = 0;
  const get = (id: string): Promise<unknown> => driver.send(["GET", id], { op: "get", class: "read" }, id);
  const set = (id: string): Promise<unknown> =>
    driver.send(["SET", id, "{}", "PX", "60000"], { op: "set", class: "idempotent" }, id);
  return {
    async create() {
      const id = `sess:${name}:${++created}`;
      await set(id);
      return id;
    },
    async visit(id) {
      if ((await get(id)) === null) return false;
      await set(id);
      return true;
    },
    exists: async (id) => (await get(id)) !== null,
    end: (id) => driver.send(["DEL", id], { op: "del", class: "idempotent" }, id),
  };
};

function noResurrection(storeOf: StoreOf): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, note }) => {
    const alive = new Set<string>();
    const ended = new Set<string>();

    const signIn = async (store: Store): Promise<void> => {
      const id = await unlessOutage(() => store.create());
      if (id !== undefined) alive.add(id);
    };
    const request = async (client: SimulatedClient, store: Store): Promise<void> => {
      const id = random.pick([...alive, ...ended]);
      const wasEnded = ended.has(id);
      const seen = await unlessOutage(() => store.visit(id));
      if (seen === true && wasEnded) throw new Error(`${client.name} saw a session that had ended`);
    };
    const signOut = async (client: SimulatedClient, store: Store): Promise<void> => {
      const all = random.chance(0.3);
      // Those that are created while this is under way may come before it or after it.
      const ending = all ? [...alive] : [random.pick([...alive])];
      for (const id of ending) alive.delete(id);
      for (const id of ending.slice(0, all && storeOf === ours ? 1 : undefined)) {
        await untilTold(client, () => store.end(id, all).then(() => true));
      }
      for (const id of ending) ended.add(id);
      note(`${client.name} has ended ${ending.length}`);
    };

    await Promise.all(
      clients.map(async (client) => {
        const store = storeOf(client);
        while (now() < DURING_MS) {
          const dice = random.fraction();
          if (alive.size === 0 || dice < 0.1) await signIn(store);
          else if (dice < 0.2) await signOut(client, store);
          else await request(client, store);
          await client.sleep(random.integer(0, 100));
        }
      }),
    );
    // Long enough for everything that was under way to arrive.
    const [first] = clients;
    await first!.sleep(8_000);
    for (const id of ended) {
      if (await storeOf(first!).exists(id)) throw new Error("a session that had ended is back");
    }
  };
}

it("a session that has ended never comes back", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, noResurrection(ours));
});

it("... nor where a creation may arrive late", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3, faults: { lateCopies: true } }, noResurrection(ours));
});

it("a store that writes back what it read revives sessions, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3, chaos: 0 }, noResurrection(naive));
  await expect(search).rejects.toThrow(SimulationError);
});
