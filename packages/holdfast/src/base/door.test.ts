// What could go wrong, and the test for each:
// - code that is awaited by what came in is not known to be inside ... "knows who is inside, %s"
// - or code is that nobody inside waits for .......................... "does not take others for those inside"
// - a user's own way of writing stacks is lost, or breaks it ......... "leaves the stacks of errors as they are"
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Door, Doors } from "./door.ts";

describe("door", () => {
  it.each<[string, (ask: () => boolean) => Promise<boolean> | boolean]>([
    ["at once", (ask) => ask()],
    ["after an await", async (ask) => (await sleep(1), ask())],
    [
      "in a function that it awaits",
      async (ask) => {
        const deeper = async () => (await sleep(1), ask());
        return await deeper();
      },
    ],
    ["in one of several", async (ask) => (await Promise.all([sleep(1), sleep(2).then(ask)]))[1]],
    ["in a race", (ask) => Promise.race([sleep(1).then(ask), sleep(1_000, false, { ref: false })])],
    ["in a chain of promises", (ask) => sleep(1).then(() => sleep(1).then(ask))],
    [
      "at the end of a block",
      async (ask) => {
        let found = false;
        try {
          await sleep(1);
        } finally {
          found = ask();
        }
        return found;
      },
    ],
  ])("knows who is inside, %s", async (_how, body) => {
    const outer = new Door();
    const door = new Door(outer);
    expect(await door.enter(() => body(() => door.isCaller))).toBe(true);
    expect(await door.enter(() => body(() => outer.isCaller))).toBe(true);
    expect(await outer.enter(() => body(() => door.isCaller))).toBe(false);
    expect([door.isOpen, outer.isOpen]).toEqual([false, false]);
  });

  it("does not take others for those inside: another door, a callback, one who left", async () => {
    const [door, other] = [new Door(), new Door()];
    const inside = door.enter(() => sleep(5));
    expect(door.isCaller).toBe(false);
    expect(await other.enter(() => door.isCaller)).toBe(false);
    expect(await new Promise((resolve) => setTimeout(() => resolve(door.isCaller), 1))).toBe(false);
    await inside;
    await expect(door.enter(() => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
    expect([door.isOpen, door.isCaller]).toEqual([false, false]);
  });

  it("leaves the stacks of errors as they are", async () => {
    const before = { ...Object.getOwnPropertyDescriptors(Error) };
    const door = new Door();
    await door.enter(() => door.isCaller);
    expect(Object.getOwnPropertyDescriptors(Error)).toEqual(before);
  });

  it("keeps a door for its keys as long as somebody is inside", async () => {
    const doors = new Doors();
    const found = await doors.enter(["a", "c"], async () => {
      await sleep(1);
      const asked = ["a", "b", "c"].map((key) => doors.isCaller(key));
      return [...asked, await doors.enter(["a", "b"], () => doors.isCaller("c")), doors.isCaller("a")];
    });
    expect(found).toEqual([true, false, true, true, true]);
    expect(doors.isCaller("a")).toBe(false);
  });
});
