// - a follower misses an event, or has it twice .......... "each follower has each event once"
// - what came meanwhile is marked as read ................ "what has come since stays unread"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { Notifications } from "./notifications.ts";

describe.each(backends("standalone", "embedded"))("cookbook: notifications [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    for (let at = 0; at < 2; at += 1) handles.push(await connect(url, { ...options, prefix }));
  });
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  it("each follower has each event once, with how many are unread; what has come since stays unread", async () => {
    const [one, two] = handles.map((hf) => new Notifications(hf)) as [Notifications, Notifications];
    await using first = one.deliver();
    await using second = two.deliver();
    await Promise.all([first.ready(), second.ready()]);
    const event = (n: number) => ({
      id: `e${n}`,
      text: `event ${n}`,
      followers: n % 2 === 0 ? ["ada", "bob"] : ["ada"],
    });
    await Promise.all([0, 1, 2, 3, 4].map((n) => one.publish(event(n))));
    await two.publish(event(3));
    await until("all are there", async () => (await one.inbox("ada")).unread === 5);
    await until("bob's too", async () => (await one.inbox("bob")).unread === 3);
    const seen = await two.inbox("ada");
    expect(new Set(seen.items.map(({ id }) => id))).toEqual(new Set(["e0", "e1", "e2", "e3", "e4"]));
    await one.publish(event(5));
    await until("one more", async () => (await two.inbox("ada")).unread === 6);
    await two.markRead("ada", seen);
    expect(await one.inbox("ada")).toMatchObject({
      unread: 1,
      items: [{ id: "e5" }, ...seen.items.map(({ id }) => ({ id }))],
    });
    await two.markRead("ada", await one.inbox("ada"));
    expect((await one.inbox("ada")).unread).toBe(0);
    expect((await one.inbox("bob")).unread).toBe(3);
    expect(await one.inbox("eve")).toEqual({ items: [], unread: 0 });
  });
});
