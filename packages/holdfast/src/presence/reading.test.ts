/**
 * What could go wrong, and the test for each:
 * - who leaves while the room is read is seen to go half a minute later ... "a leave that is announced while the room is read"
 * - what no room has sent stops the process, or the watch .................... "what is no change"
 */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { Deferred } from "../base/deferred.ts";
import type { Holdfast } from "../index.ts";
import { PresenceStore } from "./store.ts";

describe.each(backends("standalone", "embedded"))("a room that is read [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(() => {
    ({ a, b } = handles);
  });

  it("a leave that is announced while the room is read is seen when its grace is over", async () => {
    const name = randomName();
    const me = await b.presence(name).join("ada");
    if (me.status !== "ok") throw new Error("the room is full");
    const announced = new Deferred<void>();
    const listener = { message: () => announced.resolve(), gap: () => undefined };
    const call = { op: "test", class: "idempotent" } as const;
    const read = Reflect.get(PresenceStore.prototype, "read");
    const held = vi.spyOn(PresenceStore.prototype, "read").mockImplementationOnce(async function (
      this: PresenceStore<unknown>,
      ...terms
    ) {
      const answer = await read.apply(this, terms);
      await a.driver.subscribe("sharded", this.channel, listener, call);
      await me.leave({ grace: 200 });
      await announced.promise;
      return answer;
    });
    await using watch = a.presence(name).watch();
    expect((await watch.next()).value).toMatchObject({ type: "snapshot", members: [{ user: "ada" }] });
    held.mockRestore();
    expect((await watch.next()).value).toMatchObject({ type: "change", left: ["ada"] });
  });

  it("what is no change of a room is passed over", async () => {
    const name = randomName();
    await using watch = a.presence(name).watch();
    expect((await watch.next()).value).toMatchObject({ type: "snapshot" });
    const channel = `${handles.prefix}:presence:{${name}}:changes`;
    for (const text of ["", "nonsense", "1 2 3\n+x", "1 2 3\n+9:x"]) await handles.send("SPUBLISH", channel, text);
    await b.presence(name).join("ada");
    expect((await watch.next()).value).toMatchObject({ type: "change", joined: [{ user: "ada" }] });
  });
});
