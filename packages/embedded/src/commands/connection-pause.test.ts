// What could go wrong: a pause holds back other commands than in Redis, or lets them go on in another order.
import { afterAll, afterEach, beforeAll, describe, it } from "vitest";
import { type Oracle, type Pair, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

describe("CLIENT PAUSE is Redis's", () => {
  it("which commands wait, and in which order they run afterwards", async () => {
    const clients = [await oracle.connect(), await oracle.connect(), await oracle.connect()] as const;
    const [first, second, pausing] = clients;
    await pausing.both("FLUSHALL");
    await pausing.same("CLIENT PAUSE 1000000 WRITE");
    await second.same(["EVAL", "#!lua flags=no-writes\nreturn 1", "0"]);
    await second.same("SCRIPT LOAD 'return 1'");
    const waiting = ["RPUSH l a", "RPUSH l b"].map((command) => first.start(command).finished);
    await pausing.same("PING");
    waiting.push(second.start("RPUSH l c").finished, second.start("LRANGE l 0 -1").finished);
    const shard = clients[1].start("SPUBLISH c x").finished;
    waiting.push(second.start(["EVAL_RO", "#!lua\nreturn 1", "0"]).finished);
    await pausing.same("PING");
    await pausing.same("CLIENT UNPAUSE");
    await Promise.all([...waiting, shard]);
    for (const client of clients) client.close();
  });
});

describe("what was sent during a pause goes on in Redis's order", () => {
  const clients: Pair[] = [];
  const open = async (): Promise<Pair> => {
    const pair = await oracle.connect();
    clients.push(pair);
    return pair;
  };
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  /** The commands arrive in this order. */
  async function startAll(observer: Pair, commands: readonly (readonly [Pair, string])[]): Promise<Promise<string>[]> {
    const answers: Promise<string>[] = [];
    for (const [client, command] of commands) {
      answers.push(client.start(command).finished);
      for (let turn = 0; turn < 2; turn += 1) await observer.same("PING");
    }
    return answers;
  }

  it("when it begins or ends a pause itself", async () => {
    const [observer, a, b, c] = [await open(), await open(), await open(), await open()];
    await observer.both("FLUSHALL");
    await observer.same("CLIENT PAUSE 1000000 WRITE");
    const answers = await startAll(observer, [
      [a, "RPUSH l a"],
      [a, "CLIENT UNPAUSE"],
      [b, "RPUSH l b"],
      [b, "CLIENT PAUSE 1000000 WRITE"],
      [c, "RPUSH l c"],
    ]);
    await observer.same("CLIENT UNPAUSE");
    await Promise.all(answers.slice(0, 4));
    await observer.same("LRANGE l 0 -1");
    await observer.same("CLIENT UNPAUSE");
    await Promise.all(answers);
  });

  it("after those which were held back, for a client that one of them serves", async () => {
    const [observer, waiting, a, b] = [await open(), await open(), await open(), await open()];
    await observer.both("FLUSHALL");
    const served = await startAll(observer, [[waiting, "BLPOP q 0"]]);
    await observer.same("CLIENT PAUSE 1000000 WRITE");
    const answers = await startAll(observer, [
      [waiting, "RPUSH l last"],
      [a, "RPUSH q x"],
      [a, "RPUSH l a"],
      [b, "RPUSH l b"],
    ]);
    await observer.same("CLIENT UNPAUSE");
    await Promise.all([...served, ...answers]);
    await observer.same("LRANGE l 0 -1");
  });
});
