import { describe, expect, it } from "vitest";
import { type BatchKind, Lane, type Pending } from "./lane.ts";

/** Records the groups that were run and answers each item with its own text in capitals. */
function recorder(name: string, log: string[], maxItems = 100): BatchKind<string, string> {
  return {
    maxItems,
    run(group: readonly Pending<string, string>[]): void {
      log.push(`${name}:${group.map((pending) => pending.item).join(",")}`);
      for (const pending of group) pending.resolve(pending.item.toUpperCase());
    },
  };
}

describe("Lane", () => {
  it("merges neighbours made in the same tick, also in promise callbacks", async () => {
    const log: string[] = [];
    const lane = new Lane();
    const kind = recorder("get", log);
    const later = async (): Promise<string> => {
      await Promise.resolve();
      return lane.add(kind, 0, "b");
    };
    expect(await Promise.all([lane.add(kind, 0, "a"), later()])).toEqual(["A", "B"]);
    expect(log).toEqual(["get:a,b"]);
  });

  it("keeps the order of the calls when kinds alternate", async () => {
    const log: string[] = [];
    const lane = new Lane();
    const get = recorder("get", log);
    const set = recorder("set", log);
    await Promise.all([lane.add(get, 0, "a"), lane.add(set, 0, "b"), lane.add(set, 0, "c"), lane.add(get, 0, "d")]);
    expect(log).toEqual(["get:a", "set:b,c", "get:d"]);
  });

  it("groups by slot", async () => {
    const log: string[] = [];
    const lane = new Lane();
    const get = recorder("get", log);
    await Promise.all([lane.add(get, 1, "a"), lane.add(get, 2, "b"), lane.add(get, 1, "c")]);
    expect(log).toEqual(["get:a,c", "get:b"]);
  });

  it("flush sends what is collected before something unmerged", async () => {
    const log: string[] = [];
    const lane = new Lane();
    const got = lane.add(recorder("get", log), 0, "a");
    lane.flush(0);
    log.push("unmerged");
    await got;
    expect(log).toEqual(["get:a", "unmerged"]);
  });

  it("sends a full group at once", async () => {
    const log: string[] = [];
    const lane = new Lane();
    const get = recorder("get", log, 2);
    const all = Promise.all(["a", "b", "c"].map((item) => lane.add(get, 0, item)));
    expect(log).toEqual(["get:a,b"]);
    await all;
    expect(log).toEqual(["get:a,b", "get:c"]);
  });

  it("a runner that throws rejects its own items and no others", async () => {
    const log: string[] = [];
    const lane = new Lane();
    const broken: BatchKind<string, string> = {
      maxItems: 10,
      run: () => {
        throw new Error("broken");
      },
    };
    const results = await Promise.allSettled([lane.add(broken, 0, "a"), lane.add(recorder("get", log), 1, "b")]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled"]);
  });

  it("what is added while a group runs goes into the next", async () => {
    const log: string[] = [];
    const lane = new Lane();
    const get = recorder("get", log);
    const first = await lane.add(get, 0, "a");
    const second = await lane.add(get, 0, first);
    expect(second).toBe("A");
    expect(log).toEqual(["get:a", "get:A"]);
  });
});
