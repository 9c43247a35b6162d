/**
 * What could go wrong, and the test for each:
 * - a device that joins by another process is thrown out by the first ... "the newest of the same device"
 * - the one before believes for ever that it is there ................... "learns it by its heartbeat"
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import type { Holdfast, PresenceMembership } from "../index.ts";

async function joined<M>(result: Promise<PresenceMembership<M> | { status: "limit" }>): Promise<PresenceMembership<M>> {
  const membership = await result;
  if (membership.status !== "ok") throw new Error("the room is full");
  return membership;
}

describe.each(backends("standalone", "embedded"))("devices that join again [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(() => {
    ({ a, b } = handles);
  });

  it("the newest of the same device is the member, and the one before hears of it", async () => {
    const name = randomName();
    const changes: boolean[] = [];
    const terms = { device: "tab", onChange: (present: boolean) => changes.push(present) };
    const first = await joined(a.presence(name).join("ada", terms));
    const second = await joined(a.presence(name).join("ada", { device: "tab" }));
    expect(first.signal.reason).toMatchObject({ code: "LEASE_LOST", reason: "stolen" });
    expect(changes).toEqual([false]);
    expect(await first.leave()).toEqual({ status: "stolen" });
    const third = await joined(b.presence(name).join("ada", { device: "tab" }));
    // It has not heard of it yet.
    expect(await second.update("late")).toEqual({ status: "stolen" });
    expect(second.signal.reason).toMatchObject({ reason: "stolen" });
    expect(await second.leave()).toEqual({ status: "stolen" });
    expect(third.present).toBe(true);
    expect(await a.presence(name).count()).toEqual({ users: 1, devices: 1 });
  });

  it("one that another process has taken over learns it by its heartbeat", async () => {
    const name = randomName();
    const first = await joined(a.presence(name, { ttl: "300ms" }).join("ada", { device: "tab" }));
    await joined(b.presence(name).join("ada", { device: "tab" }));
    await until("the loss", async () => first.signal.aborted);
    expect(first.signal.reason).toMatchObject({ reason: "stolen" });
    expect(await b.presence(name).has("ada")).toBe(true);
  });
});
