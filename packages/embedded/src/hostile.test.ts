// What could go wrong when a client means harm, and the test for each:
// - a word of the client is a property that every object has .... "looks up no word in a plain object"
// - more arguments than a JavaScript call can have .............. "answers what is too large for JavaScript"
// - a small input that makes much .............................. "bounds the memory and the time of a script"
// - a pattern that takes hours ................................ "refuses a pattern"
// - a text that takes the square of its length ................. "reads a long text in time"
// - a fault of this server ..................................... "a fault of the server's own"
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ErrorReply, NIL, type Reply } from "./base/reply.ts";
import { commandTable } from "./commands/index.ts";
import { command, CommandTable } from "./engine/command.ts";
import { Engine } from "./engine/engine.ts";
import { InProcessConnection } from "./net/in-process.ts";
import { createServer, type EmbeddedServer } from "./server.ts";
import { RawClient } from "./testing/raw-client.ts";

let server: EmbeddedServer;
let client: RawClient;

beforeAll(async () => {
  server = createServer();
  await server.listen();
  client = await RawClient.connect(server.port);
});
afterAll(async () => {
  client.close();
  await server.close();
});

/** The reply to a command, of a server that answers the next one too. */
async function send(...args: readonly string[]): Promise<string> {
  const reply = await client.send(args);
  expect(await client.send(["PING"])).toBe("+PONG\r\n");
  return reply;
}

const inProcess = (...args: readonly string[]): Promise<Reply> =>
  new Promise((resolve) => server.connectInProcess().send(args, resolve));

const evaluate = (script: string): Promise<string> => send("EVAL", script, "0");

describe("a hostile client", () => {
  it.each([
    ["CONFIG SET maxmemory 1constructor", "-ERR CONFIG SET failed (possibly related to argument 'maxmemory')"],
    ["CONFIG SET __proto__ 1", "-ERR Unknown option"],
    ["CONFIG SET maxmemory 1__proto__", "-ERR CONFIG SET failed"],
    ["DEBUG PROTOCOL __proto__", "-ERR Wrong protocol type name"],
    ["DEBUG PROTOCOL constructor", "-ERR Wrong protocol type name"],
    ["BITOP constructor a b", "-ERR syntax error"],
    ["SET key value constructor 1", "-ERR syntax error"],
    ["GETEX key valueOf 1", "-ERR syntax error"],
    ["XREAD constructor 1 STREAMS key 0", "-ERR"],
    ["COMMAND GETKEYS XREAD valueOf 1 STREAMS key 0", "-ERR"],
    ["INFO __proto__", "$0"],
    ["CLUSTER constructor", "-ERR unknown subcommand"],
    ["COMMAND INFO __proto__", "*1"],
    ["AUTH __proto__ x", "-WRONGPASS"],
    ["__proto__ x", "-ERR unknown command"],
  ])("looks up no word in a plain object: %s", async (line, expected) => {
    expect(await send(...line.split(" "))).toMatch(new RegExp(`^${expected.replace(/[*$().]/g, String.raw`\$&`)}`));
  });

  it.each([
    ["a call of 70,000 arguments", `return redis.call('RPUSH','l'${",'x'".repeat(70_000)})`],
    ["a function of 70,000 arguments", `local function f(...) return 1 end return f(${"1,".repeat(70_000)}1)`],
  ])("answers what is too large for JavaScript: %s", async (_name, script) => {
    expect(await evaluate(script)).toMatch(/^-ERR Error compiling script .*function or expression too complex/);
  });

  it("writes 200,000 fields at once", async () => {
    const words = Array.from({ length: 200_000 }, (_, at) => ["SET", "u8", String(at % 1000), "1"]).flat();
    expect(await client.send(["BITFIELD", "fields", ...words])).toMatch(/^\*200000\r\n/);
  });

  it("copies a stream whose one block has more entries than a call can have arguments", async () => {
    await send("CONFIG", "SET", "stream-node-max-entries", "0", "stream-node-max-bytes", "0");
    const fill = "for i = 1, 150000 do redis.call('XADD', 'long', i .. '-1', 'f', 'v') end";
    expect(await evaluate(fill)).toBe("$-1\r\n");
    expect(await send("COPY", "long", "copy")).toBe(":1\r\n");
    await send("CONFIG", "SET", "stream-node-max-entries", "100", "stream-node-max-bytes", "4096");
    await send("DEL", "long", "copy");
  });

  it.each([
    ["table.insert far below", "local t = {7} table.insert(t, -2^31, 1) return t[2]", ":7"],
    ["a number of many digits", "return tostring(tonumber(('1'):rep(3e5), 2))", "$18\r\n1.844674407371e+19"],
    ["a text that is nearly a number", "return tostring(tonumber(('1'):rep(3e5) .. 'x'))", "$3\r\nnil"],
    ["one in hexadecimal", "return tostring(tonumber('0x' .. ('f'):rep(3e5) .. 'x'))", "$3\r\nnil"],
    ["reversing", "return #(('x'):rep(2^25)):reverse()", ":33554432"],
  ])("bounds the memory and the time of a script: %s", async (_name, script, expected) => {
    expect((await evaluate(script)).startsWith(expected)).toBe(true);
  });

  it("bounds a reply that holds itself twice", async () => {
    const reply = await inProcess("EVAL", "local t = {} t[1] = t t[2] = t return t", "0");
    expect(reply).toMatchObject({ message: "ERR the script's reply has too many items" });
  });

  it.each([
    ["cmsgpack.unpack", String.raw`return cmsgpack.unpack('\221\255\255\255\255' .. ('\144'):rep(2^26))`],
    ["cjson.decode", "return cjson.decode('[' .. ('[],'):rep(2^24) .. '[]]')"],
    ["cjson.encode", "cjson.encode_sparse_array(false, 0, 0) return #cjson.encode({[2147483647] = 1})"],
    ["cmsgpack.pack", "local t = {} for i = 1, 20 do t[i] = t end return #cmsgpack.pack(t)"],
    ["string.gsub", "return #(('x'):rep(2^26)):gsub('x', 'yy')"],
  ])("ends a script that takes too much: %s", async (_name, script) => {
    await send("CONFIG", "SET", "busy-reply-threshold", "300");
    const before = process.memoryUsage().rss;
    expect(await evaluate(script)).toMatch(
      /^-ERR (?:Script ended after busy-reply-threshold|Script killed because it used too much memory)/,
    );
    await send("CONFIG", "SET", "busy-reply-threshold", "5000");
    expect(process.memoryUsage().rss - before).toBeLessThan(1.5 * 2 ** 30);
  });

  it.each([
    ["lazy repetitions", "string.find(('a'):rep(300), ('a-'):rep(20) .. 'b')"],
    ["greedy repetitions", "string.find(('a'):rep(3e4), 'a*a*a*b')"],
    ["brackets that are never closed", "string.match(('('):rep(1e5), '%b()')"],
    ["a long set", "string.find(('b'):rep(1e4), '[' .. ('a'):rep(1e6) .. ']')"],
    ["a capture that is repeated", "string.gsub(('a'):rep(1e4), '(a-)%1b', '')"],
  ])("refuses a pattern that goes over its subject again and again: %s", async (_name, call) => {
    // By its steps, not by the threshold at which a busy script is ended, which a busy machine reaches first.
    await send("CONFIG", "SET", "busy-reply-threshold", "60000");
    expect(await evaluate(`return ${call}`)).toMatch(/^-ERR .*pattern too complex/);
    await send("CONFIG", "SET", "busy-reply-threshold", "5000");
  });

  it.each([
    ["a score", ["ZADD", "z", `${"1".repeat(300_000)}x`, "m"], "-ERR value is not a valid float"],
    ["a score in hexadecimal", ["ZADD", "z", `0x${"f".repeat(300_000)}x`, "m"], "-ERR value is not a valid float"],
    ["an infinite score", ["ZADD", "z", `${"0".repeat(300_000)}${"9".repeat(400)}`, "m"], "-ERR value is not a valid"],
    ["a size", ["CONFIG", "SET", "maxmemory", "9".repeat(3_000_000)], "-ERR CONFIG SET failed"],
  ])("reads a long text in time: %s", async (_name, args, expected) => {
    const startMs = performance.now();
    expect((await send(...args)).startsWith(expected)).toBe(true);
    // Read in the square of its length it takes minutes.
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  it("watches 100,000 keys in time", async () => {
    const keys = Array.from({ length: 100_000 }, (_, at) => `key-${at}`);
    expect(await inProcess("WATCH", ...keys)).toMatchObject({ text: "OK" });
  });

  it("wakes a client that waits for 50,000 keys in time", async () => {
    const keys = Array.from({ length: 50_000 }, (_, at) => `key-${at}`);
    const served = inProcess("BLPOP", ...keys, "0");
    expect(await inProcess("EVAL", "for i = 49999, 0, -1 do redis.call('RPUSH', 'key-' .. i, 'x') end", "0")).toBe(NIL);
    expect(await served).toEqual(["key-49999", "x"]);
  });
});

describe("a fault of the server's own", () => {
  const broken = command({
    name: "broken",
    arity: -1,
    run: (_ctx, [, ...words]) => {
      throw new TypeError(`no ${words.join(" ")} here`);
    },
  });
  const waiting = command({
    name: "waiting",
    arity: 1,
    run: (ctx) =>
      ctx.block({
        keys: ["key"],
        timeoutMs: 0,
        timeoutReply: 0,
        serve: () => {
          throw new RangeError("out of range");
        },
      }),
  });
  const engine = new Engine(new CommandTable([...commandTable.all, broken, waiting]));
  const ask = (connection: InProcessConnection, ...args: readonly string[]): Promise<Reply> =>
    new Promise((resolve) => connection.send(args, resolve));

  it("ends its command with an error that has nothing of the client's in it", async () => {
    const connection = new InProcessConnection(engine);
    const reply = await ask(connection, "BROKEN", "secret");
    expect(reply).toEqual(new ErrorReply("ERR internal error in 'broken' (TypeError); please report it to Holdfast"));
    expect(await ask(connection, "PING")).toMatchObject({ text: "PONG" });
  });

  it("is the reply of its command in a transaction and in a script", async () => {
    const connection = new InProcessConnection(engine);
    await ask(connection, "MULTI");
    await ask(connection, "BROKEN");
    await ask(connection, "SET", "after", "1");
    expect(await ask(connection, "EXEC")).toMatchObject([{ kind: "error" }, { text: "OK" }]);
    const script = "local reply = redis.pcall('BROKEN') return reply.err";
    expect(await ask(connection, "EVAL", script, "0")).toMatch(/^ERR internal error in 'broken'/);
  });

  it("ends the wait of a blocked client", async () => {
    const connection = new InProcessConnection(engine);
    const reply = ask(connection, "WAITING");
    await ask(new InProcessConnection(engine), "RPUSH", "key", "value");
    expect(await reply).toMatchObject({ message: expect.stringMatching(/^ERR internal error in 'waiting'/) });
  });

  it("does not end the process when a timer has it", async () => {
    await new Promise<void>((resolve) => {
      engine.setTimer(0, () => {
        setImmediate(resolve);
        throw new TypeError("late");
      });
    });
    expect(await ask(new InProcessConnection(engine), "PING")).toMatchObject({ text: "PONG" });
  });
});
