/**
 * What could go wrong, and the test for each; the same checks find what a watch written by hand does wrong:
 * - changes do not lead from one picture to the next ............ "changes lead from picture to picture"
 * - somebody is present without a holder, or a holder is not ...... "in the end all see who is there"
 * - a late join comes after the leave, or after a join that failed .. "also where copies come late"
 * - what the server has lost is taken for nobody there ........... "where the server loses its data"
 * - the members of a process that died stay ...................... the same, in all of them
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";
import type { PresenceMembership } from "./membership.ts";
import type { Presence } from "./presence.ts";
import type { PresenceEvent, PresenceMember } from "./watch.ts";

const CHAOS_MS = 4_000;
const TTL_MS = 2_000;
const GRACE_MS = 300;
/** Heartbeats, looks and pauses between attempts. */
const CALM_MS = 45_000;
const LONG = { timeout: 600_000 };
const USERS = ["ada", "bob", "eve"];

const CROWD = { clients: 3, chaos: CHAOS_MS };

type Watch = (client: SimulatedClient) => AsyncIterableIterator<PresenceEvent<number>>;

const roomOf = ({ hf }: SimulatedClient): Presence<number> =>
  hf.presence<number>("r", { ttl: TTL_MS, grace: GRACE_MS, timeout: "1s" });

const ours: Watch = (client) => roomOf(client).watch();

/** Reads once, and believes that every message comes. */
const naive: Watch = async function* (client) {
  const messages: string[] = [];
  let resume = (): void => undefined;
  const message = (payload: Buffer): void => {
    messages.push(payload.toString("latin1"));
    resume();
  };
  const channel = "hf:presence:{r}:changes";
  const call = { op: "watch", class: "idempotent", timeoutMs: 60_000 } as const;
  await client.hf.driver.subscribe("sharded", channel, { message, gap: () => undefined }, call);
  const known = new Set<string>();
  for (;;) {
    const { members } = (await unlessOutage(() => roomOf(client).members())) ?? { members: undefined };
    if (members === undefined) continue;
    for (const { user } of members) known.add(user);
    yield { type: "snapshot", members };
    break;
  }
  for (;;) {
    while (messages.length === 0) await new Promise<void>((resolve) => (resume = resolve));
    const text = messages.shift()!;
    for (const user of USERS) {
      if (text.includes(`+${user}`) && !known.has(user)) known.add(user);
    }
    yield { type: "snapshot", members: [...known].map((user) => ({ user, devices: [] })) };
  }
};

const namesOf = (members: Iterable<PresenceMember<number>>): string =>
  [...members]
    .flatMap(({ user, devices }) => devices.map(({ device, meta }) => `${user}/${device}=${meta}`))
    .toSorted()
    .join(" ");

/** A picture that is kept by events alone; a change that does not fit it is a fault. */
class Album {
  readonly members = new Map<string, PresenceMember<number>>();
  isStale = false;

  put(event: PresenceEvent<number>): void {
    if (event.type === "stale") {
      if (this.isStale) throw new Error("stale is said twice");
      this.isStale = true;
      return;
    }
    if (event.type !== "change") {
      this.isStale = false;
      this.members.clear();
      for (const member of event.members) this.members.set(member.user, member);
      return;
    }
    for (const member of event.joined) {
      if (this.members.has(member.user)) throw new Error(`${member.user} joins who is there`);
      this.members.set(member.user, member);
    }
    for (const member of event.updated) {
      if (!this.members.has(member.user)) throw new Error(`${member.user} changes who is not there`);
      this.members.set(member.user, member);
    }
    for (const user of event.left) if (!this.members.delete(user)) throw new Error(`${user} leaves who is not there`);
  }
}

function crowd(watch: Watch): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, sleep, note, seed }) => {
    const albums = new Map<string, Album>();
    const look = async (client: SimulatedClient): Promise<void> => {
      const album = new Album();
      albums.set(client.name, album);
      for await (const event of watch(client)) {
        note(`${client.name} sees ${JSON.stringify(event)}`);
        album.put(event);
        await client.sleep(random.integer(0, 50));
      }
    };
    const looks = clients.map(look);
    const failed = Promise.race(looks.map((each) => each.then(() => undefined)));
    failed.catch(() => undefined);

    const held = new Map<PresenceMembership<number>, SimulatedClient>();
    let meta = 0;
    const step = async (client: SimulatedClient): Promise<void> => {
      const mine = [...held].filter(([, of]) => of === client).map(([membership]) => membership);
      const one = mine[random.integer(0, Math.max(mine.length - 1, 0))];
      const dice = random.integer(0, 9);
      if (one === undefined || dice < 4) {
        const user = USERS[random.integer(0, USERS.length - 1)]!;
        const device = random.chance(0.5) ? "shared" : client.name;
        const joined = await unlessOutage(() => roomOf(client).join(user, { device, meta: (meta += 1) }));
        note(`${client.name} ${joined?.status} ${user}/${device}`);
        if (joined?.status === "ok") held.set(joined, client);
      } else if (dice < 7) {
        note(`${client.name} updates ${one.user}/${one.device}`);
        await unlessOutage(() => one.update((meta += 1)));
      } else {
        note(`${client.name} leaves ${one.user}/${one.device}`);
        held.delete(one);
        await unlessOutage(() => one.leave(random.chance(0.5) ? { grace: 0 } : {}));
      }
    };
    const work = async (client: SimulatedClient): Promise<void> => {
      while (now() < CHAOS_MS) {
        await step(client);
        await client.sleep(random.integer(1, 300));
      }
    };
    // One dies in half of the schedules: nothing that it awaits ever happens.
    const dies = seed % 2 === 0 ? clients[0]! : undefined;
    const alive = clients.filter((client) => client !== dies);
    if (dies !== undefined) void work(dies);
    await Promise.race([failed, Promise.all([...alive.map(work), dies && sleep(CHAOS_MS / 2)])]);
    dies?.kill();
    await Promise.race([failed, sleep(Math.max(CHAOS_MS - now(), 0) + CALM_MS)]);

    const there = [...held].filter(([{ signal }, client]) => client !== dies && !signal.aborted);
    const absent = there.filter(([membership]) => !membership.present);
    if (absent.length > 0)
      throw new Error(`${absent.map(([{ user, device }]) => `${user}/${device}`).join()} is not back`);
    const names = there.map(([{ user, device, meta: of }]) => `${user}/${device}=${of}`);
    const expected = names.toSorted().join(" ");
    const { members } = await roomOf(alive[0]!).members();
    if (namesOf(members) !== expected) throw new Error(`present: ${namesOf(members)}; holders: ${expected}`);
    const { devices, users } = await roomOf(alive[0]!).count();
    if (devices !== there.length || users !== members.length) throw new Error(`counted ${users}, ${devices}`);
    for (const { name } of alive) {
      const seen = namesOf(albums.get(name)!.members.values());
      if (seen !== expected || albums.get(name)!.isStale)
        throw new Error(`${name} does not see: ${seen}; but: ${expected}`);
    }
  };
}

it("changes lead from picture to picture, and in the end all see who is there", LONG, async () => {
  await simulate({ ...schedules(6), ...CROWD }, crowd(ours));
});

it("also where copies come late", LONG, async () => {
  await simulate({ ...schedules(5), ...CROWD, faults: { lateCopies: true } }, crowd(ours));
});

it("where the server loses its data, members come back and all see that", LONG, async () => {
  await simulate({ ...schedules(4), ...CROWD, faults: { dataLoss: true } }, crowd(ours));
});

it("a watch that believes in messages alone does not see it, and the simulation finds that", LONG, async () => {
  await expect(simulate({ schedules: 100, seed: 1, ...CROWD }, crowd(naive))).rejects.toThrow(/does not see/);
});
