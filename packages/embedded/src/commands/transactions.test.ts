import { afterAll, beforeAll, describe, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

describe("transactions answer as Redis does", () => {
  it("run what was queued", () =>
    oracle.expectSame([
      "EXEC",
      "DISCARD",
      "MULTI",
      "MULTI",
      "SET a x",
      "INCR a",
      "GET a",
      "PING",
      "WATCH a",
      "EXEC",
      "MULTI",
      "SET a y",
      "DISCARD",
      "GET a",
      "MULTI",
      "NOSUCH",
      "SET a z",
      "EXEC",
      "GET a",
      "MULTI",
      "GET",
      "EXEC",
      "MULTI",
      "EXEC",
      "MULTI",
      "SAVE",
      "EXEC",
    ]));

  const changes: readonly (readonly [change: string])[] = [
    ["SET w 2"],
    ["SET w 1"],
    ["DEL w"],
    ["EXPIRE w 100"],
    ["EXPIRE w -1"],
    ["RENAME w v"],
    ["APPEND w ''"],
    ["SETRANGE w 0 x"],
    ["GETEX w PERSIST"],
    ["GET w"],
    ["TOUCH w"],
    ["SET other 1"],
    ["FLUSHALL"],
    ["FLUSHDB"],
    ["SWAPDB 0 5"],
    ["SWAPDB 5 6"],
    ["COPY other w REPLACE"],
    ["MOVE w 7"],
  ];
  it.each(changes)("notice a change of a watched key: %s", async (change) => {
    const [watcher, other] = await Promise.all([oracle.connect(), oracle.connect()]);
    await other.both("FLUSHALL");
    await other.both("MSET w 1 other 0");
    await watcher.same("WATCH w x");
    await other.same(change);
    await watcher.same("MULTI");
    await watcher.same("SET seen 1");
    await watcher.same("EXEC");
    watcher.close();
    other.close();
  });

  it("forget with UNWATCH, DISCARD and EXEC", async () => {
    const [watcher, other] = await Promise.all([oracle.connect(3), oracle.connect()]);
    for (const forget of ["UNWATCH", "MULTI;DISCARD", "MULTI;EXEC"]) {
      await watcher.same("WATCH w");
      await other.same("INCR w");
      for (const command of forget.split(";")) await watcher.same(command);
      await watcher.same("MULTI");
      await watcher.same("PING");
      await watcher.same("EXEC");
    }
    watcher.close();
    other.close();
  });

  it("see that a watched key has expired", async () => {
    const [watcher, other] = await Promise.all([oracle.connect(), oracle.connect()]);
    await other.both("FLUSHALL");
    // Long enough for WATCH to see it alive on a busy machine.
    await other.same("SET w 1 PX 200");
    await watcher.same("WATCH w");
    let exists = ["", ""];
    while (exists.some((reply) => reply !== ":0\r\n")) exists = [...(await other.both("EXISTS w"))];
    await watcher.same("MULTI");
    await watcher.same("EXEC");
    watcher.close();
    other.close();
  });

  it("are refused as a whole where a write would be", async () => {
    const [client, other] = await Promise.all([oracle.connect(), oracle.connect()]);
    for (const command of ["INCR a", "GET a"]) {
      await client.same("MULTI");
      await client.same(command);
      await other.same("CONFIG SET min-replicas-to-write 1");
      await client.same("EXEC");
      await client.same("EXEC extra");
      await other.same("CONFIG SET min-replicas-to-write 0");
    }
    await client.same("MULTI");
    await client.same("EXEC extra");
    await client.same("EXEC");
    client.close();
    other.close();
  });

  it("end when EXEC itself is refused", () =>
    oracle.expectSame(["MULTI", "SET a 1", "EXEC now", "EXEC", "GET a", "EXEC 1"]));

  it("end when EXEC is refused to a subscriber", async () => {
    const pair = await oracle.connect();
    await pair.same("MULTI");
    await pair.same("SUBSCRIBE c");
    await pair.same("EXEC");
    await pair.same("EXEC");
    pair.close();
  });

  it("take subscriptions, but not to shards", () =>
    oracle.expectSame(["MULTI", "SSUBSCRIBE c", "SUNSUBSCRIBE c", "EXEC"], { resp: 2 }));
});
