import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandLine, type Oracle, type Pair, startOracle } from "../testing/differential.ts";
import { Syntax } from "../testing/grammar.ts";
import { listPlaceholders, listSyntax } from "../testing/grammars/lists.ts";
import { SeededRandom } from "../base/random.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

const COMMANDS = 600;
/** A real server looks this many times a second for clients whose time is over. */
const OFTEN = "CONFIG SET hz 500";

describe("lists answer as Redis does", () => {
  it.each([1, 2, 3])("in a generated sequence, seed %i", async (seed) => {
    const random = new SeededRandom(seed);
    const syntaxes = listSyntax.map((notation) => new Syntax(notation));
    const placeholders = { ...listPlaceholders, key: () => random.pick(["a", "b", "b", "c", "c", "text"]) };
    const commands = Array.from({ length: COMMANDS }, () => random.pick(syntaxes).generate(random, placeholders));
    await oracle.expectSame([OFTEN, "SET text x", ...commands]);
  });

  it("when elements are pushed, read and changed", () =>
    oracle.expectSame([
      "RPUSH l a b c d e",
      "LPUSH l 2 1 0",
      "LRANGE l 0 -1",
      "LRANGE l -3 100",
      "LRANGE l 5 2",
      "LRANGE l x 1",
      "LINDEX l -1",
      "LINDEX l 100",
      "LINDEX nothing x",
      "LSET l 1 one",
      "LSET l 100 x",
      "LSET nothing 0 x",
      "LINSERT l BEFORE c b2",
      "LINSERT l after 0 0a",
      "LINSERT l AFTER nowhere x",
      "LINSERT nothing BEFORE a x",
      "LINSERT l BESIDE a x",
      "LREM l -1 b2",
      "LTRIM l 1 -2",
      "LRANGE l 0 -1",
      "LPUSHX nothing a",
      "LTRIM l 5 1",
      "EXISTS l",
    ]));

  it("when places are asked for", () =>
    oracle.expectSame([
      "RPUSH l a b c 1 2 3 c c",
      "LPOS l c",
      "LPOS l c RANK 2",
      "LPOS l c RANK -1",
      "LPOS l c RANK 0",
      "LPOS l c COUNT 0",
      "LPOS l c COUNT 2 RANK -1",
      "LPOS l c COUNT 0 MAXLEN 3",
      "LPOS l c COUNT -1",
      "LPOS l c MAXLEN -1",
      "LPOS l x",
      "LPOS l x COUNT 1",
      "LPOS nothing x",
      "LPOS nothing x COUNT 1",
      "LPOS l c RANK",
      "LPOS l c RANK -9223372036854775807",
    ]));

  it("in a transaction and in a script, where nothing waits", () =>
    oracle.expectSame([
      "MULTI",
      "BLPOP nothing 0",
      "BLMOVE nothing l LEFT RIGHT 0",
      "BLMPOP 0 1 nothing LEFT",
      "RPUSH l a",
      "BLPOP l 0",
      "EXEC",
      ["EVAL", "return redis.call('BLMPOP', 0, 1, KEYS[1], 'LEFT')", "1", "nothing"],
    ]));

  it("with keyspace events", async () => {
    const [client, listener] = [await oracle.connect(), await oracle.connect()];
    await client.same("FLUSHALL");
    await client.same("CONFIG SET notify-keyspace-events KEAn");
    await listener.same("PSUBSCRIBE __keyevent@0__:*");
    const told: readonly (readonly [CommandLine, number])[] = [
      ["RPUSH l a b c d e f", 2],
      ["LPUSHX l z", 1],
      ["LSET l 0 y", 1],
      ["LINSERT l BEFORE a x", 1],
      ["LREM l 1 x", 1],
      ["LPOP l 2", 1],
      ["RPOPLPUSH l m", 3],
      ["LMOVE m l LEFT LEFT", 3],
      ["LTRIM l 0 1", 1],
      ["LMPOP 1 l RIGHT COUNT 9", 2],
    ];
    for (const [command, events] of told) {
      await client.same(command);
      for (let i = 0; i < events; i += 1) await listener.sameMessage();
    }
    client.close();
    listener.close();
  });
});

describe("a client that waits for a list is served as Redis does", () => {
  /** Runs the blocking command, then the others on a second connection. Its reply, which is the same in RESP2 and RESP3. */
  async function served(blocking: string, ...others: CommandLine[]): Promise<string> {
    const replies = new Set<string>();
    for (const resp of [2, 3] as const) {
      const [waiting, other] = [await oracle.connect(resp), await oracle.connect(resp)];
      await other.same("FLUSHALL");
      await other.same("SET text x");
      const { finished } = waiting.start(blocking);
      await blocked(other, 1);
      for (const command of others) await other.same(command);
      replies.add(await finished);
      for (const key of ["a", "b", "c"]) await other.same(["LRANGE", key, "0", "-1"]);
      waiting.close();
      other.close();
    }
    return [...replies].join(" or ");
  }

  async function blocked(client: Pair, count: number): Promise<void> {
    const both = [1, 2].map(() => expect.stringMatching(`blocked_clients:${count}\r`));
    await expect.poll(() => client.both("INFO clients")).toEqual(both);
  }

  const FROM_A = "*2\r\n$1\r\na\r\n$1\r\n1\r\n";

  it.each([
    ["BLPOP a b 0", FROM_A],
    ["BRPOP b a 0", FROM_A.replace("1\r\n1", "1\r\n3")],
    ["BLMPOP 0 2 a b RIGHT COUNT 2", "*2\r\n$1\r\na\r\n*2\r\n$1\r\n3\r\n$1\r\n2\r\n"],
    ["BLMOVE a c LEFT RIGHT 0", "$1\r\n1\r\n"],
    ["BRPOPLPUSH a a 0", "$1\r\n3\r\n"],
    ["BRPOPLPUSH a text 0", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"],
  ])("%s", async (blocking, reply) => {
    expect(await served(blocking, "RPUSH a 1 2 3", "PING")).toBe(reply);
  });

  it("not by another type, nor by what is gone at the end of a transaction", async () => {
    const gone = ["SADD a x", "DEL a", "MULTI", "RPUSH a 1", "DEL a", "EXEC"];
    const reply = await served("BLPOP a b 0", ...gone, "MULTI", "RPUSH b 1", "LPUSH b 2", "EXEC");
    expect(reply).toBe("*2\r\n$1\r\nb\r\n$1\r\n2\r\n");
  });

  it.each(["RENAME c a", "COPY c a", "LMOVE c a LEFT LEFT", "SORT c STORE a"])("by %s", async (command) => {
    expect(await served("BLPOP a 0", "RPUSH c 1", command)).toBe(FROM_A);
  });

  it("in order of arrival, each with one element", async () => {
    const clients = await Promise.all([1, 2, 3, 4].map(() => oracle.connect()));
    const [first, second, third, other] = clients as [Pair, Pair, Pair, Pair];
    await other.same("FLUSHALL");
    const waits: Promise<string>[] = [];
    for (const [i, client] of [first, second, third].entries()) {
      waits.push(client.start("BLMOVE a b LEFT RIGHT 0").finished);
      await blocked(other, i + 1);
    }
    await other.same("RPUSH a 1 2");
    await other.same("RPUSH a 3");
    expect(await Promise.all(waits)).toEqual(["$1\r\n1\r\n", "$1\r\n2\r\n", "$1\r\n3\r\n"]);
    await other.same("LRANGE b 0 -1");
    for (const client of clients) client.close();
  });

  it("by what another waiter has received", async () => {
    const clients = await Promise.all([1, 2, 3].map(() => oracle.connect()));
    const [first, second, other] = clients as [Pair, Pair, Pair];
    await other.same("FLUSHALL");
    const moved = first.start("BLMOVE a b LEFT RIGHT 0").finished;
    await blocked(other, 1);
    const popped = second.start("BLPOP b 0").finished;
    await blocked(other, 2);
    await other.same("RPUSH a 1");
    await moved;
    await popped;
    await other.same("EXISTS a b");
    for (const client of clients) client.close();
  });
});
