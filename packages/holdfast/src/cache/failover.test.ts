/**
 * Invalidations on servers that die, fail over and give their slots away: once one has returned, nobody is served what was loaded before it was called, also where
 * loads fail and what is past its time is served.
 *
 * What could go wrong, and the test for each:
 * - a server that is killed comes back with what was invalidated ................ "killed"
 * - a promoted replica has it ................................................... "promoted"
 * - a slot moves without the right to load, or the state of the invalidations ..... "slot"
 */
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { startCluster, startSentinel, startStandalone, until } from "../../test/support/servers.ts";
import type { ServerProcess } from "../../test/support/server-process.ts";
import { connect } from "../connect.ts";
import { slotOf } from "../driver/slot.ts";
import type { Holdfast } from "../holdfast.ts";

const TERMS = { ttl: "1h", grace: "2h", timeout: "500ms", loadLease: "500ms", graceBackoff: 1 } as const;
const IDS = ["a", "b", "c", "d", "e", "f"];
const PATIENCE = 150_000;

/** Rows that one process changes and invalidates, by a delete or by a tag, while two read them through the cache. */
class Rows {
  readonly #version = new Map(IDS.map((id) => [id, 1]));
  readonly #confirmed = new Map(IDS.map((id) => [id, 1]));
  readonly #running: Promise<void>[];
  readonly #stop = new AbortController();
  #isHeld = false;
  #isWriting = false;
  #reads = 0;
  #writes = 0;
  #failure: Error | undefined;

  constructor(writer: Holdfast, reader: Holdfast) {
    this.#running = [this.#write(writer), this.#read(writer), this.#read(reader)];
  }

  /** Until no invalidation is under way; none begins before `goOn`. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    await until("the writer rests", () => !this.#isWriting);
  }

  /** Until so many more have returned, and so many more reads. */
  async goOn(): Promise<void> {
    this.#isHeld = false;
    const [reads, writes] = [this.#reads + 200, this.#writes + 30];
    const isDone = (): boolean => this.#failure !== undefined || (this.#reads >= reads && this.#writes >= writes);
    await until("rows are read and changed", isDone, PATIENCE);
  }

  async end(): Promise<Error | undefined> {
    this.#stop.abort();
    await Promise.all(this.#running);
    return this.#failure;
  }

  async #write(hf: Holdfast): Promise<void> {
    const cache = hf.cache<number>("rows", TERMS);
    for (let at = 0; !this.#stop.signal.aborted; at += 1) {
      await pause(2);
      if (this.#isHeld) continue;
      this.#isWriting = true;
      const id = IDS[at % IDS.length]!;
      const version = this.#version.get(id)! + 1;
      this.#version.set(id, version);
      const invalidate = () => (at % 4 < 2 ? cache.delete(id) : cache.invalidate({ tags: [id] }));
      const isDone = () =>
        invalidate().then(
          () => true,
          () => this.#stop.signal.aborted,
        );
      while (!(await isDone())) await pause(20);
      if (!this.#stop.signal.aborted) this.#confirmed.set(id, version);
      this.#writes += 1;
      this.#isWriting = false;
    }
  }

  async #read(hf: Holdfast): Promise<void> {
    const cache = hf.cache<number>("rows", TERMS);
    for (let at = 0; !this.#stop.signal.aborted && this.#failure === undefined; at += 1) {
      const id = IDS[at % IDS.length]!;
      const atLeast = this.#confirmed.get(id)!;
      const load = async (): Promise<number> => {
        const version = this.#version.get(id)!;
        await pause(at % 4);
        if (at % 7 === 0) throw new Error("the source is down");
        return version;
      };
      const found = await cache.getOrSet(id, load, { tags: [id] }).catch(() => undefined);
      if (found !== undefined) this.#reads += 1;
      if (found !== undefined && found < atLeast) this.#failure = new Error(`${id}: ${found} after ${atLeast}`);
      await pause(1);
    }
  }
}

/** Runs `fault` while rows are changed and read; returns what was read that may not be. */
async function staleDuring(url: string, fault: (rows: Rows) => Promise<void>): Promise<Error | undefined> {
  await using writer = await connect(url, { prefix: "failover" });
  await using reader = await connect(url, { prefix: "failover" });
  const rows = new Rows(writer, reader);
  try {
    await rows.goOn();
    await fault(rows);
    await rows.goOn();
  } finally {
    await rows.end();
  }
  return rows.end();
}

/** What was confirmed has reached the replicas: without that a failover may lose it, as docs/cache.md says. */
async function replicated(primary: ServerProcess, replicas: number): Promise<void> {
  await until("it is replicated", async () => {
    using client = await primary.connect();
    await client.command("PING");
    const [, offset, followers] = (await client.command("ROLE")) as [string, number, [string, string, string][]];
    return followers.filter(([, , at]) => Number(at) >= offset).length >= replicas;
  });
}

it("a server is killed, and started again from its append-only file [standalone]", { timeout: PATIENCE }, async () => {
  await using server = await startStandalone({ persistence: true });
  const stale = await staleDuring(server.url, async (rows) => {
    for (let round = 0; round < 3; round += 1) {
      await server.kill();
      await server.restart();
      await rows.goOn();
    }
  });
  expect(stale).toBeUndefined();
});

it("a primary is killed, and Sentinel has its replica promoted [sentinel]", { timeout: PATIENCE }, async () => {
  await using group = await startSentinel();
  const stale = await staleDuring(group.url, async (rows) => {
    await rows.hold();
    const primary = await group.primary();
    await replicated(primary, 2);
    await primary.kill();
  });
  expect(stale).toBeUndefined();
});

it("a slot moves, and a primary is killed and its replica promoted [cluster]", { timeout: PATIENCE }, async () => {
  await using cluster = await startCluster();
  const stale = await staleDuring(cluster.url, async (rows) => {
    // An entry's, and that of the state of the invalidations.
    for (const tag of ["a", "rows"]) {
      const slot = slotOf(`{${tag}}`);
      const target = cluster.primaries.find((node) => node !== cluster.nodeFor(slot))!;
      await cluster.migrateSlot(slot, target);
      await rows.goOn();
    }
    await rows.hold();
    const primary = cluster.nodeFor(slotOf("{rows}"));
    await replicated(primary, 1);
    await primary.kill();
  });
  expect(stale).toBeUndefined();
});
