/**
 * Whatever is lost, late or repeated, and wherever writers die between two steps:
 * - no two records have one unique value at the same time, and one that nobody has can be had again within minutes;
 * - whoever looks while nothing changes finds every record that has a value, and no other; in the end too, by index and by unique value.
 * The same checks find a record that is written before its entry, and a value that is looked up before it is claimed.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../../testing/index.ts";

const CHAOS_MS = 3_000;
const LONG = { timeout: 600_000 };
const IDS = ["a", "b", "c", "d"];
const MAILS = ["1", "2", "3", "4"];
const COUNTRIES = ["DE", "DK", "FR"];

interface User {
  mail: string;
  country: string;
}

interface Users {
  get(id: string): Promise<{ value: User; version: number } | undefined>;
  set(id: string, user: User): Promise<{ status: string }>;
  patch(id: string, user: Partial<User>): Promise<{ status: string }>;
  delete(id: string): Promise<boolean>;
  find(country: string): Promise<string[]>;
  getBy(mail: string): Promise<string | undefined>;
}

type UsersOf = (client: SimulatedClient) => Users;

const ours: UsersOf = ({ hf }) => {
  const users = hf.records<User>("users", { unique: ["mail"], index: ["country"], partitions: 2 });
  return {
    get: (id) => users.get(id),
    set: (id, user) => users.set(id, user),
    patch: (id, user) => users.patch(id, user),
    delete: (id) => users.delete(id),
    find: async (country) => (await users.find({ country }, { limit: 100 })).records.map(({ id }) => id),
    getBy: async (mail) => (await users.getBy("mail", mail))?.id,
  };
};

/** A set of ids for each country, written when the record has been. */
const entriesAfter: UsersOf = (client) => {
  const { hf } = client;
  const users = hf.records<User>("users", { unique: ["mail"] });
  const setOf = (country: string): string => `country:${country}`;
  const moved = async (id: string, before: User | undefined, country: string | undefined): Promise<void> => {
    if (before?.country === country) return;
    if (country !== undefined) await hf.command("SADD", setOf(country), id);
    if (before !== undefined) await hf.command("SREM", setOf(before.country), id);
  };
  const ofOurs = ours(client);
  return {
    ...ofOurs,
    async set(id, user) {
      const before = (await users.get(id))?.value;
      const result = await users.set(id, user);
      if (result.status === "ok") await moved(id, before, user.country);
      return result;
    },
    async patch(id, user) {
      const before = (await users.get(id))?.value;
      const result = await users.patch(id, user);
      if (result.status === "ok" && user.country !== undefined) await moved(id, before, user.country);
      return result;
    },
    async delete(id) {
      const before = (await users.get(id))?.value;
      const deleted = await users.delete(id);
      await moved(id, before, undefined);
      return deleted;
    },
    async find(country) {
      const ids = ((await hf.command("SMEMBERS", setOf(country))) as Buffer[]).map(String);
      const found = await users.getMany(ids);
      return ids.filter((id) => found.get(id)?.value.country === country);
    },
  };
};

/** Looks whether a value is free, and then writes. */
const lookedUp: UsersOf = (client) => {
  const users = client.hf.records<User>("users", { index: ["mail", "country"], partitions: 2 });
  const holder = async (mail: string): Promise<string | undefined> => (await users.find({ mail })).records[0]?.id;
  const unlessTaken = async (id: string, mail: string | undefined, write: () => Promise<{ status: string }>) => {
    const other = mail === undefined ? undefined : await holder(mail);
    return other === undefined || other === id ? write() : { status: "conflict" };
  };
  return {
    get: (id) => users.get(id),
    set: (id, user) => unlessTaken(id, user.mail, () => users.set(id, user)),
    patch: (id, user) => unlessTaken(id, user.mail, () => users.patch(id, user)),
    delete: (id) => users.delete(id),
    find: async (country) => (await users.find({ country }, { limit: 100 })).records.map(({ id }) => id),
    getBy: holder,
  };
};

function exact(usersOf: UsersOf): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, note }) => {
    const pick = <V>(of: readonly V[]): V => of[random.integer(0, of.length - 1)]!;
    const [looker, ...writers] = clients;
    const users = usersOf(looker!);
    const look = async (): Promise<Map<string, { value: User; version: number }>> => {
      const all = await Promise.all(IDS.map(async (id) => [id, await users.get(id)] as const));
      return new Map(all.flatMap(([id, found]) => (found === undefined ? [] : [[id, found]])));
    };
    /** What is found while nothing changes. */
    const check = async (isCalm: boolean): Promise<void> => {
      const before = await look();
      const found = await Promise.all(COUNTRIES.map((country) => users.find(country)));
      const after = await look();
      const versions = (all: typeof before): string =>
        JSON.stringify([...all].map(([id, { version }]) => [id, version]));
      if (versions(before) !== versions(after)) return;
      const mails = [...after.values()].map(({ value }) => value.mail);
      if (new Set(mails).size < mails.length) throw new Error(`two records have one value: ${mails.join(", ")}`);
      for (const [at, country] of COUNTRIES.entries()) {
        const ids = IDS.filter((id) => after.get(id)?.value.country === country);
        // One that is missing before and after may have been there in between.
        const hits = found[at]!.filter((id) => isCalm || after.has(id));
        if (ids.join() !== hits.toSorted().join())
          throw new Error(`${country} has ${ids.join()}, and ${hits.join()} are found`);
      }
    };
    const write = async (client: SimulatedClient, at: number): Promise<void> => {
      const writing = usersOf(client);
      const diesAt = at < 3 ? random.integer(200, CHAOS_MS) : Number.POSITIVE_INFINITY;
      while (now() < CHAOS_MS) {
        const id = pick(IDS);
        const kind = random.integer(0, 9);
        const outcome = unlessOutage<unknown>(() => {
          if (kind === 0) return writing.delete(id);
          if (kind < 4) return writing.patch(id, { country: pick(COUNTRIES) });
          if (kind < 6) return writing.patch(id, { mail: pick(MAILS) });
          return writing.set(id, { mail: pick(MAILS), country: pick(COUNTRIES) });
        });
        outcome.catch(() => undefined);
        if (now() > diesAt) {
          // Somewhere between its steps.
          await client.sleep(random.integer(0, 12));
          note(`${client.name} dies`);
          return client.kill();
        }
        await outcome;
        await client.sleep(random.integer(0, 60));
      }
    };
    const watch = async (): Promise<void> => {
      while (now() < CHAOS_MS) {
        await unlessOutage(() => check(false));
        await looker!.sleep(random.integer(0, 60));
      }
    };
    await Promise.all([watch(), ...writers.map(write)]);
    // Long enough for everything that was in flight to arrive, and for claims of the dead to lapse.
    await looker!.sleep(130_000);
    const calmly = async <V>(ask: () => Promise<V>): Promise<V> =>
      (await untilTold(looker!, async () => ({ answer: await ask() }))).answer;
    await calmly(() => check(true));
    const all = await calmly(look);
    for (const [id, { value }] of all) {
      const holder = await calmly(() => users.getBy(value.mail));
      if (holder !== id) throw new Error(`${id} has ${value.mail}, and ${holder ?? "nobody"} is found by it`);
    }
    const had = [...all.values()].map(({ value }) => value.mail);
    for (const mail of MAILS.filter((each) => !had.includes(each))) {
      const { status } = await calmly(() => users.set(`new${mail}`, { mail, country: "DE" }));
      if (status !== "ok") throw new Error(`nobody has ${mail}, and it cannot be had: ${status}`);
    }
  };
}

it("a value is one record's, and what is there is found, wherever a writer dies", LONG, async () => {
  await simulate({ ...schedules(10), clients: 6 }, exact(ours));
});

it("the same over the slots of a cluster", LONG, async () => {
  await simulate({ ...schedules(3), clients: 6, servers: 3, cluster: true }, exact(ours));
});

it("entries that are written after their record are missing, and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 100, seed: 1, clients: 6 }, exact(entriesAfter))).rejects.toThrow(SimulationError);
});

it("a value that is looked up before it is written is two records', and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 100, seed: 1, clients: 6 }, exact(lookedUp))).rejects.toThrow(/two records have/);
});
