/**
 * What could go wrong, and the test for each:
 * - a user with two devices is counted twice, or leaves with the first ... "a user is present while any device is"
 * - who watches misses a change, or sees one twice ................... "a snapshot, then joins, updates and leaves"
 * - a message is lost, and nobody notices ........................... "a number that is missing"
 * - a slow consumer gets each of a thousand changes .................. "a slow consumer gets the sum"
 * - a reload of a page is seen as leave and join .................... "who comes back within the grace"
 * - a room grows without bound ........................................ "is bounded"
 * - a page ends within a user, or names are taken for others ......... "pages hold whole users"
 * - members of a process that is gone stay, or are said twice ......... "whose process is gone", and processes.test.ts
 * - a room stays for ever ........................................... "a room expires by itself"
 * - thousand members cost thousand heartbeats ....................... "one heartbeat for all members"
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { Holdfast, PresenceEvent, PresenceMember, PresenceMembership, PresenceEvents } from "../index.ts";

interface Meta {
  readonly name: string;
}

async function joined<M>(result: Promise<PresenceMembership<M> | { status: "limit" }>): Promise<PresenceMembership<M>> {
  const membership = await result;
  if (membership.status !== "ok") throw new Error("the room is full");
  return membership;
}

async function next<M>(watch: PresenceEvents<M>): Promise<PresenceEvent<M>> {
  const { value } = await watch.next();
  return value!;
}

function membersOf<M>(event: PresenceEvent<M>): readonly PresenceMember<M>[] {
  if (event.type === "snapshot" || event.type === "reset") return event.members;
  throw new Error(`expected a snapshot, not ${event.type}`);
}

describe.each(backends())("presence [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(() => {
    ({ a, b } = handles);
  });

  it("who joins is seen by all, until it leaves", async () => {
    const name = randomName();
    const [mine, theirs] = [a.presence<Meta>(name), b.presence<Meta>(name)];
    expect(await theirs.get("ada")).toBeUndefined();
    expect(await theirs.count()).toEqual({ users: 0, devices: 0 });
    expect(await theirs.members()).toEqual({ members: [], cursor: undefined });
    const me = await joined(mine.join("ada", { meta: { name: "Ada" }, device: "phone" }));
    expect(me.present).toBe(true);
    const phone = { device: "phone", meta: { name: "Ada" }, joinedAt: expect.any(Number) };
    expect(await theirs.get("ada")).toEqual({ user: "ada", devices: [phone] });
    expect(await theirs.has("ada")).toBe(true);
    expect(await theirs.has("ad")).toBe(false);
    expect(await me.update({ name: "Ada L." })).toEqual({ status: "ok" });
    expect(await theirs.get("ada")).toMatchObject({ devices: [{ meta: { name: "Ada L." } }] });
    expect(await me.leave({ grace: 0 })).toEqual({ status: "ok" });
    expect(me.present).toBe(false);
    expect(await theirs.has("ada")).toBe(false);
    expect(await theirs.count()).toEqual({ users: 0, devices: 0 });
    expect(await me.leave()).toEqual({ status: "expired" });
    expect(await me.update({ name: "late" })).toEqual({ status: "expired" });
    expect(me.signal.aborted).toBe(false);
  });

  it("a user is present while any device is", async () => {
    const name = randomName();
    const phone = await joined(a.presence(name).join("ada", { device: "phone" }));
    const laptop = await joined(b.presence(name).join("ada", { device: "laptop" }));
    await using tablet = await joined(a.presence(name).join(7));
    expect(tablet.user).toBe("7");
    expect(await a.presence(name).count()).toEqual({ users: 2, devices: 3 });
    await phone.leave({ grace: 0 });
    expect(await a.presence(name).get("ada")).toMatchObject({ devices: [{ device: "laptop" }] });
    expect(await a.presence(name).count()).toEqual({ users: 2, devices: 2 });
    await laptop.leave({ grace: 0 });
    expect(await b.presence(name).count()).toEqual({ users: 1, devices: 1 });
  });

  it("a snapshot, then joins, updates and leaves", async () => {
    const name = randomName();
    const room = a.presence<Meta>(name);
    const ada = await joined(room.join("ada", { meta: { name: "Ada" }, device: "1" }));
    await using watch = b.presence<Meta>(name).watch();
    expect(await next(watch)).toMatchObject({
      type: "snapshot",
      members: [{ user: "ada", devices: [{ device: "1" }] }],
    });
    const bob = await joined(room.join("bob", { device: "1" }));
    expect(await next(watch)).toMatchObject({
      type: "change",
      joined: [{ user: "bob", devices: [{ device: "1", meta: undefined }] }],
      updated: [],
      left: [],
    });
    await ada.update({ name: "Ada L." });
    const updated = [{ user: "ada", devices: [{ meta: { name: "Ada L." } }] }];
    expect(await next(watch)).toMatchObject({ type: "change", joined: [], updated, left: [] });
    await joined(room.join("ada", { device: "2" }));
    const both = [{ user: "ada", devices: [{ device: "1" }, { device: "2" }] }];
    expect(await next(watch)).toMatchObject({ type: "change", joined: [], updated: both, left: [] });
    await bob.leave({ grace: 0 });
    expect(await next(watch)).toEqual({ type: "change", joined: [], updated: [], left: ["bob"] });
    const after = watch.next();
    await watch[Symbol.asyncDispose]();
    expect(await after).toEqual({ value: undefined, done: true });
  });

  it("an empty room is watched, and what comes in it is a change", async () => {
    const name = randomName();
    await using watch = b.presence(name).watch();
    expect(await next(watch)).toEqual({ type: "snapshot", members: [] });
    const me = await joined(a.presence(name).join("ada"));
    expect(await next(watch)).toMatchObject({ type: "change", joined: [{ user: "ada" }] });
    await me.leave({ grace: 0 });
    expect(await next(watch)).toMatchObject({ type: "change", left: ["ada"] });
  });

  it("a slow consumer gets the sum", async () => {
    const name = randomName();
    const room = a.presence<number>(name);
    await using slow = b.presence<number>(name).watch();
    await using quick = b.presence<number>(name).watch();
    expect(await next(slow)).toMatchObject({ type: "snapshot" });
    expect(await next(quick)).toMatchObject({ type: "snapshot" });
    const ada = await joined(room.join("ada", { meta: 0, device: "1" }));
    const gone = await joined(room.join("gone"));
    await gone.leave({ grace: 0 });
    for (let n = 1; n <= 20; n += 1) await ada.update(n);
    for (let seen = 0; seen !== 20;) {
      const event = await next(quick);
      if (event.type === "change") seen = [...event.joined, ...event.updated].at(0)?.devices[0]?.meta ?? 0;
    }
    const sum = { type: "change", joined: [{ user: "ada", devices: [{ meta: 20 }] }], updated: [], left: [] };
    expect(await next(slow)).toMatchObject(sum);
  });

  it("who comes back within the grace was never away", async () => {
    const name = randomName();
    const options = { grace: "30s" } as const;
    const first = await joined(a.presence<number>(name, options).join("ada", { meta: 1, device: "tab" }));
    await using watch = b.presence<number>(name, options).watch();
    const snapshot = await next(watch);
    await first.leave();
    expect(await b.presence(name, options).has("ada")).toBe(true);
    const second = await joined(b.presence<number>(name, options).join("ada", { meta: 1, device: "tab" }));
    await second.update(2);
    const event = await next(watch);
    expect(event).toMatchObject({ type: "change", joined: [], updated: [{ user: "ada" }], left: [] });
    const { joinedAt } = membersOf(snapshot)[0]!.devices[0]!;
    expect(event).toMatchObject({ updated: [{ devices: [{ joinedAt, meta: 2 }] }] });
    expect(await b.presence(name).count()).toEqual({ users: 1, devices: 1 });
  });

  it("who does not come back within the grace has left, and that is said once", async () => {
    const name = randomName();
    const room = a.presence(name, { grace: "200ms" });
    const ada = await joined(room.join("ada"));
    await using one = b.presence(name).watch();
    await using two = a.presence(name).watch();
    await Promise.all([next(one), next(two)]);
    await ada.leave();
    expect(await next(one)).toMatchObject({ type: "change", left: ["ada"] });
    expect(await next(two)).toMatchObject({ type: "change", left: ["ada"] });
    await joined(room.join("bob"));
    expect(await next(one)).toMatchObject({ type: "change", joined: [{ user: "bob" }], left: [] });
    expect(await next(two)).toMatchObject({ type: "change", joined: [{ user: "bob" }], left: [] });
  });

  it("is bounded: devices in the room, devices of a user, bytes of a meta", async () => {
    const name = randomName();
    const room = a.presence<string>(name, { maxMembers: 3, maxDevices: 2, maxMetaBytes: 20 });
    const first = await joined(room.join("ada"));
    await joined(room.join("ada"));
    expect(await room.join("ada")).toMatchObject({ status: "limit", of: "user", max: 2 });
    await joined(room.join("bob"));
    await using refused = await room.join("eve");
    expect(refused).toMatchObject({ status: "limit", of: "room", max: 3 });
    await first.leave({ grace: 0 });
    expect(await room.join("eve", { meta: "x".repeat(10) })).toMatchObject({ status: "ok" });
    const long = room.join("eve", { meta: "x".repeat(30) });
    await expect(long).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field: "meta" });
    await expect(room.join("a\0b")).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field: "user" });
  });

  it("many that join in the same tick do so together, and pages hold whole users", async () => {
    const name = randomName();
    const room = a.presence(name);
    const users = ["a", "a\u0001", "ab", "b%", "ä", "{c}", "x", "y", "z", "ää"];
    await Promise.all(users.flatMap((user) => [1, 2, 3].map((device) => joined(room.join(user, { device })))));
    expect(await b.presence(name).count()).toEqual({ users: users.length, devices: 3 * users.length });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await b.presence(name).members({ limit: 4, ...(cursor !== undefined && { cursor }) });
      for (const { user, devices } of page.members) {
        expect(devices.map(({ device }) => device)).toEqual(["1", "2", "3"]);
        seen.push(user);
      }
      expect(page.members.length).toBeLessThanOrEqual(2);
      ({ cursor } = page);
    } while (cursor !== undefined);
    const bytes = (text: string): Buffer => Buffer.from(text);
    expect(seen).toEqual(users.toSorted((x, y) => Buffer.compare(bytes(x), bytes(y))));
    await using watch = b.presence(name).watch();
    expect(membersOf(await next(watch))).toHaveLength(users.length);
  });

  it("a large room is read page by page, and leaves page by page", async () => {
    const name = randomName();
    const options = { grace: 0 } as const;
    const c = await handles.another();
    const room = c.presence(name, options);
    const all = Array.from({ length: 1_300 }, (_, at) => at);
    await Promise.all(all.map((at) => room.join(`u${at}`, { rejoin: false })));
    await using watch = b.presence(name, options).watch();
    expect(membersOf(await next(watch))).toHaveLength(all.length);
    const left = new Set<string>();
    await c.close();
    while (left.size < all.length) {
      const event = await next(watch);
      if (event.type !== "change") throw new Error(event.type);
      for (const user of event.left) {
        expect(left.has(user)).toBe(false);
        left.add(user);
      }
    }
    expect(await a.presence(name).count()).toEqual({ users: 0, devices: 0 });
  });

  it("a number that is missing is noticed, and what is there is said in a reset", async () => {
    const name = randomName();
    await using watch = b.presence(name).watch();
    await next(watch);
    await joined(a.presence(name).join("ada"));
    expect(await next(watch)).toMatchObject({ type: "change", joined: [{ user: "ada" }] });
    // As a change whose message is lost.
    await handles.send("HINCRBY", `${handles.prefix}:presence:{${name}}`, "version", "1");
    await joined(a.presence(name).join("bob"));
    expect(await next(watch)).toMatchObject({ type: "reset", members: [{ user: "ada" }, { user: "bob" }] });
  });

  it("a room expires by itself", async () => {
    const name = randomName();
    const me = await joined(a.presence(name, { ttl: "10s" }).join("ada"));
    const head = `${handles.prefix}:presence:{${name}}`;
    const keys = (await handles.keys("presence:")).filter((key) => key.startsWith(head));
    expect(keys.length).toBe(4);
    for (const key of keys) {
      const ttlMs = Number(await handles.send("PTTL", key));
      expect(ttlMs).toBeGreaterThan(10_000);
      expect(ttlMs).toBeLessThan(1_000_000);
    }
    await me.leave({ grace: 0 });
    const left = (await handles.keys("presence:")).filter((key) => key.startsWith(`${head}:`));
    // What knows a repeat of the last request.
    for (const key of left) expect(Number(await handles.send("PTTL", key))).toBeLessThanOrEqual(10_000);
  });

  it("handles that are closed leave, within the grace", async () => {
    const name = randomName();
    const c = await handles.another();
    const me = await joined(c.presence(name, { grace: "30s" }).join("ada", { device: "tab", meta: 1 }));
    await using watch = b.presence(name).watch();
    expect(await next(watch)).toMatchObject({ type: "snapshot", members: [{ user: "ada" }] });
    await c.close();
    expect(me.signal.reason).toMatchObject({ reason: "closed" });
    const again = await joined(b.presence(name).join("ada", { device: "tab", meta: 1 }));
    await again.leave({ grace: 0 });
    expect(await next(watch)).toEqual({ type: "change", joined: [], updated: [], left: ["ada"] });
    await expect(c.presence(name).join("eve")).rejects.toMatchObject({ code: "CLOSED" });
  });
});
