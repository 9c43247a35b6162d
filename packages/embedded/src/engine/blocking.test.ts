import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Oracle, type Pair, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
let clients: Pair[];
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());
beforeEach(async () => {
  clients = await Promise.all([oracle.connect(), oracle.connect(), oracle.connect(), oracle.connect()]);
  await clients[0]?.both("FLUSHALL");
});
afterEach(() => {
  for (const client of clients) client.close();
});

function client(index: number): Pair {
  return clients[index] as Pair;
}

/** Until both servers have this many blocked clients. */
async function blocked(count: number): Promise<void> {
  const waiting = new RegExp(`blocked_clients:${count}\r`);
  let infos: readonly string[] = [];
  do infos = await client(0).both("INFO clients");
  while (!infos.every((info) => waiting.test(info)));
}

describe("clients that wait are served as Redis serves them", () => {
  it("in the order in which they came, one element each", async () => {
    const first = client(1).start("BLPOP a b 0");
    await blocked(1);
    const second = client(2).start("BRPOP b a 0");
    await blocked(2);
    const third = client(3).start("BLPOP a 0");
    await blocked(3);
    await client(0).same("RPUSH a 1 2");
    expect(await first.finished).toContain("1");
    expect(await second.finished).toContain("2");
    await blocked(1);
    await client(0).same("LPUSH b other");
    await client(0).same("LRANGE b 0 -1");
    await client(0).same("RPUSH a 3");
    await third.finished;
  });

  it("after the whole transaction or script that feeds them", async () => {
    const waiting = client(1).start("BLPOP a 0");
    await blocked(1);
    for (const line of ["MULTI", "RPUSH a 1", "LPUSH a 0", "LPOP a", "EXEC"]) await client(0).same(line);
    expect(await waiting.finished).toContain("$1\r\n1\r\n");
    const again = client(1).start("BLPOP a 0");
    await blocked(1);
    await client(0).same(["EVAL", "redis.call('RPUSH', 'a', 'x', 'y') redis.call('DEL', 'a') return 1", "0"]);
    await client(0).same(["EVAL", "redis.call('RPUSH', 'a', 'x', 'y') redis.call('LPOP', 'a') return 1", "0"]);
    expect(await again.finished).toContain("y");
  });

  it("in a chain", async () => {
    const last = client(1).start("BLPOP c 0");
    await blocked(1);
    const middle = client(2).start("BLMOVE b c LEFT RIGHT 0");
    await blocked(2);
    const start = client(3).start("BLMOVE a b LEFT RIGHT 0");
    await blocked(3);
    await client(0).same("RPUSH a token");
    for (const { finished } of [start, middle, last]) expect(await finished).toContain("token");
    await client(0).same("EXISTS a b c");
  });

  it("by RENAME, COPY, MOVE, SORT and SWAPDB too, and not by another type", async () => {
    const feeds: readonly (readonly string[])[] = [
      ["RPUSH x 1", "RENAME x a"],
      ["RPUSH x 1", "COPY x a"],
      ["RPUSH x 2 1", "SORT x STORE a"],
      ["SELECT 5", "RPUSH a 1", "SWAPDB 0 5", "SELECT 0"],
      ["SELECT 5", "RPUSH a 1", "MOVE a 0", "SELECT 0"],
    ];
    for (const feed of feeds) {
      await client(0).both("FLUSHALL");
      const waiting = client(1).start("BLPOP a 0");
      await blocked(1);
      await client(0).same("SET a string");
      await client(0).same("DEL a");
      for (const line of feed) await client(0).same(line);
      expect(await waiting.finished).toContain("$1\r\n1\r\n");
    }
  });

  it("with an error when SWAPDB takes the stream of a group away", async () => {
    await client(0).same("XGROUP CREATE s g 0 MKSTREAM");
    const { finished } = client(1).start("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    await blocked(1);
    await client(0).same("SWAPDB 0 1");
    expect(await finished).toContain("UNBLOCKED");
  });

  it("not at all inside a transaction, and with nil when their time is over", async () => {
    for (const line of ["MULTI", "BLPOP a 0", "EXEC", "BLPOP a 0.01", "BLPOP a -1", "BLPOP a x", "BLPOP a 0.001"]) {
      await client(1).same(line);
    }
  });

  it("until CLIENT UNBLOCK or the end of their connection", async () => {
    for (const reason of ["TIMEOUT", "ERROR"]) {
      const waiting = client(1).start("BLPOP a 0");
      await blocked(1);
      const ids = await client(0).both("CLIENT LIST");
      const [real, embedded] = ids.map((list) => /id=(\d+) [^\n]* flags=b [^\n]*cmd=blpop/.exec(list)?.[1] ?? "");
      await client(0).sameEach([`CLIENT UNBLOCK ${real} ${reason}`, `CLIENT UNBLOCK ${embedded} ${reason}`]);
      await waiting.finished;
    }
    const lost = client(2).start("BLPOP a 0");
    const end = lost.finished.then(
      () => "answered",
      (error: Error) => error.message,
    );
    await blocked(1);
    client(2).close();
    expect(await end).toBe("the connection was closed");
    await blocked(0);
    await client(0).same("RPUSH a 1");
    await client(0).same("LLEN a");
  });
});
