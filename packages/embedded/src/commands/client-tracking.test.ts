import { afterAll, beforeAll, beforeEach, describe, it } from "vitest";
import { type Oracle, type Pair, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
let reader: Pair;
let writer: Pair;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());
beforeEach(async () => {
  [reader, writer] = await Promise.all([oracle.connect(3), oracle.connect()]);
  await writer.both("FLUSHALL");
  return () => {
    reader.close();
    writer.close();
  };
});

/** A message sent before would now come first. */
async function nothingMore(): Promise<void> {
  await reader.same("PING");
}

describe("client-side caching is Redis's", () => {
  it("informs once whoever read a key", async () => {
    await writer.same("MSET a 1 b 2");
    await reader.same("CLIENT TRACKING ON");
    await reader.same("MGET a b");
    await writer.same("SET a 2");
    await reader.sameMessage();
    await writer.same("SET a 3");
    await writer.same("EXPIRE b 100");
    await reader.sameMessage();
    await nothingMore();
    await reader.same("GET a");
    await writer.same("FLUSHDB");
    await reader.sameMessage();
  });

  it("informs a client of its own changes after the answer, unless NOLOOP", async () => {
    await reader.same("CLIENT TRACKING ON");
    await reader.same("GET a");
    await reader.same("SET a 1");
    await reader.sameMessage();
    await reader.same("CLIENT TRACKING ON NOLOOP");
    await reader.same("GET a");
    await reader.same("SET a 2");
    await nothingMore();
  });

  it("reports each change below a prefix, in broadcast mode", async () => {
    await reader.same("CLIENT TRACKING ON BCAST PREFIX user: PREFIX item:");
    await writer.same("MSET item:2 x user:1 x other x user:0 x");
    await reader.sameMessage();
    await reader.sameMessage();
    await writer.same("DEL other");
    await reader.same("SET user:1 y");
    await reader.sameMessage();
    await reader.same("CLIENT TRACKINGINFO");
    await reader.same("CLIENT TRACKING OFF");
    await writer.same("SET user:1 z");
    await nothingMore();
  });

  it("tracks by choice with OPTIN and OPTOUT", async () => {
    await reader.same("CLIENT TRACKING ON OPTIN");
    await reader.same("GET a");
    await writer.same("SET a 1");
    await nothingMore();
    await reader.same("CLIENT CACHING YES");
    await reader.same("CLIENT TRACKINGINFO");
    await reader.same("GET a");
    await reader.same("GET b");
    await writer.same("MSET b 1 a 1");
    await reader.sameMessage();
    await nothingMore();
    await reader.same("CLIENT TRACKING OFF");
    await reader.same("CLIENT TRACKING ON OPTOUT");
    await reader.same("CLIENT CACHING NO");
    await reader.same("GET a");
    await reader.same("GET b");
    await writer.same("MSET a 1 b 1");
    await reader.sameMessage();
    await nothingMore();
  });

  it("caches for a whole transaction", async () => {
    await reader.same("CLIENT TRACKING ON OPTIN");
    await reader.same("CLIENT CACHING YES");
    for (const command of ["MULTI", "GET a", "GET b", "EXEC", "GET c"]) await reader.same(command);
    await writer.same("SET c 1");
    await writer.same("SET a 1");
    await reader.sameMessage();
    await writer.same("SET b 1");
    await reader.sameMessage();
    await nothingMore();
  });

  it("refuses what does not go together", async () => {
    for (const command of [
      "CLIENT TRACKING MAYBE",
      "CLIENT TRACKING ON PREFIX x",
      "CLIENT TRACKING ON BCAST OPTIN",
      "CLIENT TRACKING ON OPTIN OPTOUT",
      "CLIENT TRACKING ON REDIRECT 99999",
      "CLIENT TRACKING ON REDIRECT x",
      "CLIENT TRACKING ON BCAST PREFIX a PREFIX ab",
      "CLIENT TRACKING ON BAD",
      "CLIENT CACHING YES",
      "CLIENT GETREDIR",
      "CLIENT TRACKINGINFO",
      "CLIENT TRACKING ON BCAST PREFIX a",
      "CLIENT TRACKING ON BCAST PREFIX abc",
      "CLIENT TRACKING ON",
      "CLIENT CACHING YES",
      "CLIENT CACHING NO",
      "CLIENT GETREDIR",
      "CLIENT TRACKING OFF",
      "CLIENT TRACKING ON OPTIN",
      "CLIENT TRACKING ON OPTOUT",
      "CLIENT CACHING NO",
      "CLIENT CACHING MAYBE",
    ]) {
      await reader.same(command);
    }
  });

  it("remembers who asked for a key in vain", async () => {
    await reader.same("CLIENT TRACKING ON");
    await reader.same("XINFO STREAM s");
    await writer.same("XADD s 1-1 a b");
    await reader.sameMessage();
    await nothingMore();
  });

  it("reports what a script changed, in spite of NOLOOP, in broadcast mode only", async () => {
    await reader.same("CLIENT TRACKING ON BCAST NOLOOP");
    await reader.same(["EVAL", "return redis.call('SET', 'a', '1')", "0"]);
    await reader.sameMessage();
    await reader.same("CLIENT TRACKING OFF");
    await reader.same("CLIENT TRACKING ON NOLOOP");
    await reader.same("GET a");
    await reader.same(["EVAL", "return redis.call('SET', 'a', '2')", "0"]);
    await nothingMore();
  });

  it("names the overlapping prefix that comes first by name", async () => {
    await reader.same("CLIENT TRACKING ON BCAST PREFIX x PREFIX ab");
    await reader.same(["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", ""]);
  });

  it("does not inform a client that pushes to a list, with NOLOOP, that a waiting client took what came", async () => {
    await reader.same("CLIENT TRACKING ON BCAST NOLOOP");
    const { finished } = writer.start("BLMOVE l m LEFT RIGHT 0");
    let infos: readonly string[] = [];
    do infos = await reader.both("INFO clients");
    while (!infos.every((info) => info.includes("blocked_clients:1\r")));
    await reader.same("RPUSH l a");
    await finished;
    await reader.sameMessage();
    await nothingMore();
  });

  it("does not inform a client that waits in BLMPOP, with NOLOOP, of a push from which it took", async () => {
    await reader.same("CLIENT TRACKING ON BCAST NOLOOP");
    for (const [command, isTold] of [
      ["BLMPOP 0 1 l LEFT", false],
      ["BLPOP l 0", true],
      ["BLMOVE l l LEFT RIGHT 0", false],
    ] as const) {
      const { finished } = reader.start(command);
      let infos: readonly string[] = [];
      do infos = await writer.both("INFO clients");
      while (!infos.every((info) => info.includes("blocked_clients:1\r")));
      await writer.same("RPUSH l a b");
      await finished;
      if (isTold) await reader.sameMessage();
      await nothingMore();
      await writer.same("DEL l");
      await reader.sameMessage();
    }
    await writer.same("RPUSH l c");
    await reader.sameMessage();
  });

  it("reports a transaction's own changes also when it ends the tracking", async () => {
    await reader.same("CLIENT TRACKING ON");
    await reader.same("GET a");
    for (const command of ["MULTI", "SET a 1", "FLUSHALL", "CLIENT TRACKING OFF", "EXEC"]) await reader.same(command);
    await reader.sameMessage();
    await reader.sameMessage();
    await reader.same("CLIENT TRACKING ON");
    await nothingMore();
  });

  it("drops the messages about a transaction that ends the redirection which RESP2 needs", async () => {
    await writer.same("CLIENT TRACKING ON");
    await writer.same("GET a");
    for (const command of ["MULTI", "SET a 1", "CLIENT TRACKING OFF", "EXEC"]) await writer.same(command);
    await reader.same("CLIENT TRACKING ON");
    await reader.same("PING");
    await nothingMore();
  });

  it("sends a transaction's own write to the redirection that the transaction began and ended", async () => {
    const [real, embedded] = (await reader.both("CLIENT ID")).map((id) => id.slice(1, -2));
    await writer.same("MULTI");
    await writer.sameEach([`CLIENT TRACKING ON REDIRECT ${real}`, `CLIENT TRACKING ON REDIRECT ${embedded}`]);
    for (const command of ["GET a", "SET a 1", "CLIENT TRACKING OFF", "EXEC"]) await writer.same(command);
    await reader.sameMessage();
    await writer.same("CLIENT GETREDIR");
    await nothingMore();
  });
});
