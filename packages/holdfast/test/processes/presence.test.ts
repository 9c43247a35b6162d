/**
 * What could go wrong, and the test for each:
 * - members of a process that is killed stay, or are said to leave twice ..... "kill -9"
 * - a process that stood still for longer than its ttl believes it is there .... "SIGSTOP"
 * - it does not come back, or is in the room twice .......................... the same
 */
import { type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast, type PresenceEvent, type PresenceEvents } from "../../src/index.ts";
import { backends } from "../support/backends.ts";
import { Mortals } from "../support/mortal.ts";

const TTL_MS = 1_000;

describe.each(backends("standalone"))("presence over processes that die [$name]", ({ url }) => {
  const prefix = `test-${randomUUID()}`;
  let program: Mortals;
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(async () => {
    program = await Mortals.of(new URL("presence.child.ts", import.meta.url));
    [a, b] = await Promise.all([connect(url, { prefix }), connect(url, { prefix })]);
  });
  afterAll(() => Promise.all([program?.[Symbol.asyncDispose](), a?.close(), b?.close()]));

  const start = async (name: string, ...users: string[]): Promise<ChildProcess> => {
    const child = program.start(url, prefix, name, String(TTL_MS), ...users);
    await once(child, "message");
    return child;
  };
  const next = async (watch: PresenceEvents<unknown>): Promise<PresenceEvent<unknown>> => (await watch.next()).value!;
  /** Until as many have come or gone. */
  const changes = async (watch: PresenceEvents<unknown>, kind: "joined" | "left", count: number): Promise<string[]> => {
    const users: string[] = [];
    while (users.length < count) {
      const event = await next(watch);
      if (event.type !== "change") throw new Error(event.type);
      users.push(...(kind === "left" ? event.left : event.joined.map(({ user }) => user)));
    }
    return users.toSorted();
  };

  it("kill -9: its members are gone within ttl and grace, and those who watch are told once", async () => {
    await using one = a.presence("killed").watch();
    await using two = b.presence("killed").watch();
    await Promise.all([next(one), next(two)]);
    const child = await start("killed", "ada", "bob", "eve");
    expect(await changes(one, "joined", 3)).toEqual(["ada", "bob", "eve"]);
    expect(await changes(two, "joined", 3)).toEqual(["ada", "bob", "eve"]);
    child.kill("SIGKILL");
    const left = await Promise.all([changes(one, "left", 3), changes(two, "left", 3)]);
    expect(left).toEqual([
      ["ada", "bob", "eve"],
      ["ada", "bob", "eve"],
    ]);
    expect(await a.presence("killed").count()).toEqual({ users: 0, devices: 0 });
    await using mark = await a.presence("killed").join("mark");
    expect(mark.status).toBe("ok");
    for (const watch of [one, two]) expect(await next(watch)).toMatchObject({ joined: [{ user: "mark" }], left: [] });
  });

  it("SIGSTOP for longer than its ttl: it is out, learns that, and joins again", async () => {
    await using watch = b.presence("stopped").watch();
    await next(watch);
    const child = await start("stopped", "joe");
    const said: unknown[] = [];
    child.on("message", (message) => said.push(message));
    expect(await changes(watch, "joined", 1)).toEqual(["joe"]);
    child.kill("SIGSTOP");
    expect(await changes(watch, "left", 1)).toEqual(["joe"]);
    child.kill("SIGCONT");
    expect(await changes(watch, "joined", 1)).toEqual(["joe"]);
    while (said.length < 2) await once(child, "message");
    expect(said).toEqual([false, true]);
    expect(await b.presence("stopped").get("joe")).toMatchObject({ devices: [{ device: "d" }] });
    child.kill("SIGKILL");
  });
});
