// What could go wrong on real connections, and the test for each:
// - a reader ends, or misses something, when its connection is lost ... "goes on where it was after its connection was lost"
// - another worker takes over, and nobody hears of it ............... "tells that a worker died"
// - so does what was not answered ..................................... "goes on when a stopped server does"
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../../test/support/servers.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { QueueEvents } from "./stream.ts";

describe("events under faults", () => {
  const prefix = `test-${randomUUID()}`;
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    const options = { prefix, timeout: "1s", pingInterval: "100ms", pingTimeout: "300ms" } as const;
    [hf, direct] = await Promise.all([connect(proxy.url, options), connect(server.url, { prefix })]);
  });

  afterEach(async () => {
    server.resume();
    await proxy.heal();
  });

  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  async function jobs(reader: QueueEvents, count: number): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) {
      const { value } = await reader.next();
      ids.push(value?.type === "added" ? value.job : `a ${value?.type}`);
    }
    return ids;
  }

  it.each(["cut", "halfOpen"] as const)("goes on where it was after its connection was lost (%s)", async (fault) => {
    const name = randomUUID();
    const queue = direct.queue<number>(name, { events: {} });
    await using reader = hf.queue<number>(name, { events: {} }).events({ poll: 200 });
    await reader.ready;
    const first = await queue.add(1);
    expect(await jobs(reader, 1)).toEqual([first.id]);
    const later = jobs(reader, 3);
    proxy[fault]();
    const added = await queue.addMany([2, 3]);
    await proxy.heal();
    added.push(await queue.add(4));
    expect(await later).toEqual(added.map(({ id }) => id));
  });

  it("tells that a worker died", async () => {
    const name = randomUUID();
    const queue = direct.queue<number>(name, { events: {} });
    await using reader = queue.events();
    await reader.ready;
    const running = new Deferred<void>();
    const cutOff = hf.queue<number>(name, { events: {} }).work(
      ({ signal }) => {
        running.resolve();
        return new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
      { lease: "3s", drain: 0 },
    );
    const { id } = await queue.add(1);
    await running.promise;
    proxy.dropReplies();
    await using worker = queue.work(() => undefined, { poll: 100 });
    const told = [];
    while (told.length < 5) told.push((await reader.next()).value!);
    expect(told.map(({ type }) => type)).toEqual(["added", "started", "recovered", "started", "completed"]);
    const [, first, recovered] = told as { worker: string }[];
    expect(recovered).toMatchObject({ job: id, worker: first!.worker });
    await proxy.heal();
    await cutOff.close();
    expect(worker.stats().recovered).toBe(1);
  });

  it("goes on when a stopped server does", async () => {
    const name = randomUUID();
    const queue = hf.queue<number>(name, { events: {} });
    await using reader = queue.events({ poll: 200 });
    await reader.ready;
    const next = jobs(reader, 1);
    await server.pause();
    await expect(queue.counts()).rejects.toMatchObject({ op: "queue.counts" });
    server.resume();
    const { id } = await direct.queue<number>(name, { events: {} }).add(1);
    expect(await next).toEqual([id]);
  });
});
