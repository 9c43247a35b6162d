/**
 * A room has several keys, and a server with an eviction policy may drop any of them; so may a hand that means well.
 * What could go wrong, and the test for each:
 * - members are not seen any more, or never leave ............ "whichever key is gone, all are back"
 * - counts are of what was there once ......................... the same
 * - who watches keeps a picture of what was ................... the same
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import type { PresenceEvents } from "../index.ts";

const KEYS = ["", ":members", ":nodes", ":node", ":leaving", ":left"] as const;

/** Keeps a picture by events alone. */
async function follow(watch: PresenceEvents<unknown>, users: Set<string>): Promise<void> {
  for await (const event of watch) {
    if (event.type === "stale") continue;
    if (event.type !== "change") users.clear();
    const there = event.type === "change" ? [...event.joined, ...event.updated] : event.members;
    for (const { user } of there) users.add(user);
    if (event.type === "change") for (const user of event.left) users.delete(user);
  }
}

describe.each(backends("standalone", "embedded"))("a room of which a key was evicted [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it.each(KEYS)("whichever key is gone, all are back: %s", async (part) => {
    const { a, b } = handles;
    const name = randomName();
    const options = { ttl: "1500ms", grace: "1h" } as const;
    const [mine, theirs] = [a.presence(name, options), b.presence(name, options)];
    await Promise.all([mine.join("ada"), mine.join("bob"), theirs.join("eve")]);
    const gone = await mine.join("gone");
    if (gone.status !== "ok") throw new Error(gone.status);
    await gone.leave();
    const seen = new Set<string>();
    const watch = b.presence(name, options).watch();
    const following = follow(watch, seen);
    await until("the first picture", () => seen.size === 4);
    const head = `${handles.prefix}:presence:{${name}}`;
    const keys = (await handles.keys("presence:")).filter((key) =>
      part === ":node" ? key.startsWith(`${head}:node:`) : key === head + part,
    );
    expect(keys.length).toBe(part === ":node" ? 2 : 1);
    await handles.send("DEL", keys[0]!);
    // Who has left and is within the grace cannot be known any more.
    await until("all of them", async () => {
      const { members } = await mine.members();
      return (
        ["ada", "bob", "eve"].every((user) => members.some((member) => member.user === user)) && members.length === 3
      );
    });
    expect(await theirs.count()).toEqual({ users: 3, devices: 3 });
    await until("the picture", () => seen.size === 3 && !seen.has("gone"));
    await watch[Symbol.asyncDispose]();
    await following;
  });
});
