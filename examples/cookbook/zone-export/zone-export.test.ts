// What could go wrong, and the test for each:
// - two processes write at once ............................ "one of two processes at a time"
// - a zone that fails stops the export ..................... "goes on without one zone"
// - two zones that fail do not ............................. "writes nothing without two of three"
// - a process that stood still undoes a later export ....... "a process that stood still writes nothing"
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Redlock } from "holdfast";
import { createTestServer, type TestServer } from "holdfast/testing";
import { exportLocks, exportOnce, type Target } from "./zone-export.ts";

class Table implements Target {
  rows: readonly string[] = [];
  #fence = 0;

  async write(rows: readonly string[], fence: number): Promise<boolean> {
    if (fence < this.#fence) return false;
    [this.rows, this.#fence] = [rows, fence];
    return true;
  }
}

describe("cookbook: zone export [embedded]", () => {
  let zones: TestServer[];
  let one: Redlock;
  let other: Redlock;
  // Servers of a test have just been started, so that they would not vote for a minute.
  const locks = async (): Promise<Redlock> =>
    exportLocks(await Promise.all(zones.map((zone) => zone.listen())), {
      maxTtl: "1m",
      delayedRestart: false,
      timeout: 200,
    });

  beforeEach(async () => {
    zones = await Promise.all([1, 2, 3].map(() => createTestServer()));
    [one, other] = [await locks(), await locks()];
  });
  afterEach(async () => {
    await Promise.all([one.close(), other.close()]);
    await Promise.all(zones.map((zone) => zone.close()));
  });

  it("one of two processes at a time", async () => {
    const table = new Table();
    let second: unknown;
    const first = await exportOnce(one, table, async () => {
      second = await exportOnce(other, table, async () => ["not this"]);
      return ["a", "b"];
    });
    expect([first, second, table.rows]).toEqual(["exported", "busy", ["a", "b"]]);
    expect(await exportOnce(other, table, async () => ["c"])).toBe("exported");
  });

  it("goes on without one zone, and writes nothing without two of three", async () => {
    const table = new Table();
    using _first = zones[0]!.faults.down();
    expect(await exportOnce(one, table, async () => ["a"])).toBe("exported");
    using _second = zones[1]!.faults.down();
    await expect(exportOnce(one, table, async () => ["b"])).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(table.rows).toEqual(["a"]);
  });

  it("a process that stood still writes nothing", async () => {
    const table = new Table();
    const late = await exportOnce(one, table, async () => {
      // Its lock has expired in the meantime, as it does after half a minute.
      for (const zone of zones) await (await zone.connect()).command("DEL", "hf:redlock:{export}");
      expect(await exportOnce(other, table, async () => ["new"])).toBe("exported");
      return ["old"];
    });
    expect([late, table.rows]).toEqual(["overtaken", ["new"]]);
  });
});
