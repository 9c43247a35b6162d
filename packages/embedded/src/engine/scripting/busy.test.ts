// What could go wrong while a script is busy: others wait for ever, or are let in too far; a write happens twice; time goes on for the data.
// Longer than other files, since each case stands beside a real server and in this process.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { VirtualClock } from "../../base/clock.ts";
import { system } from "../../base/system.ts";
import type { InProcessConnection } from "../../net/in-process.ts";
import { ErrorReply, NIL, NIL_ARRAY, OK, QUEUED, type Reply } from "../../base/reply.ts";
import { createServer, type EmbeddedServer } from "../../server.ts";
import { RunTimer } from "./busy.ts";
import { type CommandLine, type Oracle, type Pair, startOracle } from "../../testing/differential.ts";

const BUSY = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const FOR_EVER = "while true do end";
/** Runs for more than a second, whatever it has written. */
const A_SECOND = "local t = redis.call('TIME')[1] while redis.call('TIME')[1] - t < 2 do end";

const evaluate = (script: string, ...keys: string[]): string[] => ["EVAL", script, String(keys.length), ...keys];

describe("beside a real server, while a script is busy", () => {
  let oracle: Oracle;
  let caller: Pair;
  let other: Pair;
  let third: Pair;
  beforeAll(async () => {
    oracle = await startOracle();
  });
  afterAll(() => oracle.close());
  beforeEach(async () => {
    [caller, other, third] = await Promise.all([oracle.connect(), oracle.connect(), oracle.connect()]);
    await other.both("CONFIG SET busy-reply-threshold 20");
    await other.both("FLUSHALL");
  });
  afterEach(() => {
    for (const pair of [caller, other, third]) pair.close();
  });

  /** Until both servers answer everybody that they are busy, or that they are not. */
  async function until(busy: boolean): Promise<void> {
    let answers: readonly string[] = [];
    do answers = await other.both("PING");
    while (!answers.every((answer) => answer.startsWith("-BUSY") === busy));
  }

  async function start(command: CommandLine): Promise<{ readonly finished: Promise<string> }> {
    const started = caller.start(command);
    await until(true);
    return started;
  }

  it("others are refused all but a few commands, and SCRIPT KILL ends it", async () => {
    await other.same("SCRIPT KILL");
    const { finished } = await start(evaluate(FOR_EVER));
    for (const line of ["GET a", "NOSUCH", "GET", "SCRIPT EXISTS a", "CLIENT LIST", "EVAL 'return 1' 0", "EXEC"]) {
      await other.same(line);
    }
    for (const line of ["SHUTDOWN", "SHUTDOWN SAVE", "SHUTDOWN ABORT", "SHUTDOWN NOW NONSENSE"]) await other.same(line);
    for (const line of ["WATCH a", "UNWATCH", "AUTH x", "DISCARD", "RESET"]) await other.same(line);
    await other.same("SCRIPT KILL");
    expect(await finished).toMatch(/^-ERR Script killed by user with SCRIPT KILL/);
    await until(false);
    await other.same("SCRIPT KILL");
    await caller.same("SET a 1");
  });

  it("no pcall catches the kill", async () => {
    const script = "local f = function() while 1 do redis.call('ping') end end\nwhile 1 do pcall(f) end";
    const { finished } = await start(evaluate(script));
    await other.same("SCRIPT KILL");
    expect(await finished).toContain("killed by user");
  });

  it("one that has written cannot be killed, and its writes happen once", async () => {
    const { finished } = await start(
      evaluate(`redis.call('INCR', KEYS[1]) ${A_SECOND} return redis.call('INCR', KEYS[1])`, "a"),
    );
    await other.same("SCRIPT KILL");
    await other.same("GET a");
    expect(await finished).toBe(":2\r\n");
    await other.same("GET a");
  });

  it("a function goes on from where it is, and FUNCTION KILL ends it", async () => {
    const count = "redis.register_function('count', function() return n end)";
    const forEver = `redis.register_function('f', function() n = n + 1 ${FOR_EVER} end)`;
    await other.same(["FUNCTION", "LOAD", "REPLACE", `#!lua name=lib\nlocal n = 0 ${count} ${forEver}`]);
    const { finished } = await start("FCALL f 1 a b");
    const normalise = (reply: string): string => reply.replace(/(duration_ms\r\n):\d+/, "$1:?");
    await other.same("FUNCTION STATS", { normalise });
    for (const line of ["FUNCTION LIST", "FCALL count 0", "SCRIPT KILL", "FUNCTION KILL"]) await other.same(line);
    expect(await finished).toMatch(/^-ERR Script killed by user with SCRIPT KILL.* script: f, on @user_function/);
    expect(await other.same("FCALL count 0")).toBe(":1\r\n");
  });

  it("FUNCTION KILL and STATS are not for scripts", async () => {
    const { finished } = await start(evaluate(FOR_EVER));
    for (const line of ["FUNCTION KILL", "FUNCTION STATS", "SCRIPT KILL"]) await other.same(line);
    await finished;
  });

  it("transactions are spoilt as a whole", async () => {
    await third.same("MULTI");
    await third.same("INCR a");
    const { finished } = await start(evaluate(FOR_EVER));
    for (const line of ["MULTI", "INCR a", "EXEC", "MULTI", "INCR a", "DISCARD", "MULTI", "INCR a"])
      await other.same(line);
    for (const line of ["EXEC", "EXEC"]) await third.same(line);
    await third.same("SCRIPT KILL");
    await finished;
    await third.same("GET a");
    for (const line of ["EXEC", "GET a"]) await other.same(line);
  });

  it("a transaction with it waits for its end", async () => {
    for (const line of ["MULTI", "INCR a", evaluate(`${A_SECOND} return redis.call('INCR', 'a')`)])
      await caller.same(line);
    for (const line of [evaluate(A_SECOND), "INCR a"]) await caller.same(line);
    const { finished } = await start("EXEC");
    await other.same("SCRIPT EXISTS a");
    expect(await finished).toBe("*4\r\n:1\r\n:2\r\n$-1\r\n:3\r\n");
    await caller.same("GET a");
  });

  it("a transaction goes on after its script was killed", async () => {
    for (const line of ["MULTI", "INCR a", evaluate(FOR_EVER), "INCR a"]) await caller.same(line);
    const { finished } = await start("EXEC");
    await other.same("SCRIPT KILL");
    expect(await finished).toMatch(/^\*3\r\n:1\r\n-ERR Script killed.*\r\n:2\r\n$/);
  });

  it("what its client has sent after it waits", async () => {
    const command = evaluate(FOR_EVER);
    const bytes = `*3\r\n${command.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}PING\r\n`;
    const answers = caller.raw(bytes, 2);
    await until(true);
    await other.same("SCRIPT KILL");
    const [real, embedded] = await answers;
    expect(embedded).toBe(real);
    expect(embedded).toMatch(/PONG\r\n$/);
  });

  it("the script goes on when its client has gone", async () => {
    caller.start(evaluate(FOR_EVER)).finished.catch(() => undefined);
    await until(true);
    caller.close();
    await other.same("GET a");
    await other.same("SCRIPT KILL");
    await until(false);
    await other.same("GET a");
  });

  it("a client that waits for a key is served at its end", async () => {
    const waiting = third.start("BLPOP a 0");
    let clients: readonly string[] = [];
    do clients = await other.both("INFO clients");
    while (!clients.every((info) => info.includes("blocked_clients:1\r")));
    const { finished } = await start(
      evaluate(`redis.call('LPUSH', 'a', 'y') ${A_SECOND} return redis.call('LPUSH', 'a', 'z')`),
    );
    for (const line of ["MULTI", "DISCARD"]) await other.same(line);
    expect(await finished).toBe(":2\r\n");
    expect(await waiting.finished).toContain("z");
  });
});

describe("in this process, while a script is busy", () => {
  let server: EmbeddedServer;
  let clock: VirtualClock;
  let caller: InProcessConnection;
  let other: InProcessConnection;
  let ended: string[];
  beforeEach(async () => {
    ended = [];
    clock = new VirtualClock();
    server = createServer({ clock });
    caller = server.connectInProcess({ closed: () => ended.push("caller") });
    other = server.connectInProcess({ closed: () => ended.push("other") });
    await ask(other, "CONFIG SET busy-reply-threshold 5");
  });
  afterEach(() => server.close());

  function ask(connection: InProcessConnection, command: string | readonly string[]): Promise<Reply> {
    return new Promise((resolve) =>
      connection.send(typeof command === "string" ? command.split(" ") : command, resolve),
    );
  }

  /** The answer that comes at once, undefined when it waits. */
  function atOnce(connection: InProcessConnection, command: string | readonly string[]): Reply | undefined {
    let answer: Reply | undefined;
    connection.send(typeof command === "string" ? command.split(" ") : command, (reply) => (answer = reply));
    return answer;
  }

  it("the answer comes later, others are refused, and its writes happen once", async () => {
    const script = `
      for i = 1, 100 do redis.call('INCR', KEYS[1]) end
      local s = 0
      for i = 1, 1000000 do s = s + tostring(i):len() end
      return {redis.call('INCR', KEYS[1]), s}`;
    const result = ask(caller, evaluate(script, "a"));
    const next = ask(caller, "GET a");
    expect(atOnce(other, "GET a")).toEqual(new ErrorReply(BUSY));
    expect(atOnce(other, "MULTI")).toBe(OK);
    expect(atOnce(other, "DISCARD")).toBe(OK);
    expect(await result).toEqual([101, 5_888_896]);
    expect(await next).toBe("101");
    expect(await ask(other, "GET a")).toBe("101");
  });

  it("time stands still for the data", async () => {
    await ask(other, "SET a 1 PX 100");
    const waiter = server.connectInProcess();
    const wait = ask(waiter, "BLPOP list 1");
    const script = `
      redis.call('PEXPIRE', 'b', 1)
      while not redis.call('GET', 'end') do
        for i = 1, 1000 do end
        if redis.call('TIME')[1] - ARGV[1] > 3600 then return {redis.call('PTTL', 'a'), redis.call('EXISTS', 'a')} end
      end`;
    const startSeconds = String(Math.floor(clock.nowMs() / 1000));
    const result = ask(caller, ["EVAL", script, "0", startSeconds]);
    expect(atOnce(other, "GET a")).toEqual(new ErrorReply(BUSY));
    clock.advance(5_000_000);
    const order: string[] = [];
    await Promise.all([result.then(() => order.push("script")), wait.then(() => order.push("timeout"))]);
    expect(order).toEqual(["script", "timeout"]);
    expect(await result).toEqual([100, 1]);
    expect(await wait).toBe(NIL_ARRAY);
    expect(atOnce(other, "GET a")).toBe(NIL);
  });

  it("a timer that is called off does not come after it", async () => {
    const waiter = server.connectInProcess();
    const wait = ask(waiter, "BLPOP list 1");
    const script = "redis.call('LPUSH', 'list', 'x') while redis.call('TIME')[1] - ARGV[1] < 3600 do end";
    const result = ask(caller, ["EVAL", script, "0", String(Math.floor(clock.nowMs() / 1000))]);
    clock.advance(5_000_000);
    await result;
    expect(await wait).toEqual(["list", "x"]);
    expect(await ask(waiter, "PING")).toMatchObject({ text: "PONG" });
  });

  it("what falls due after it may be busy itself", async () => {
    const [writer, next, waiter] = [server.connectInProcess(), server.connectInProcess(), server.connectInProcess()];
    const wait = ask(waiter, "BLPOP list 1");
    await ask(other, "CLIENT PAUSE 100 WRITE");
    const written = ask(writer, evaluate(FOR_EVER));
    const following = ask(next, "SET a 1");
    const script = "while redis.call('TIME')[1] - ARGV[1] < 3600 do end";
    const result = ask(caller, ["EVAL_RO", script, "0", String(Math.floor(clock.nowMs() / 1000))]);
    clock.advance(5_000_000);
    await result;
    expect(await wait).toBe(NIL_ARRAY);
    expect(atOnce(other, "GET a")).toEqual(new ErrorReply(BUSY));
    const order: string[] = [];
    const all = [written.then(() => order.push("script")), following.then(() => order.push("next"))];
    expect(atOnce(other, "SCRIPT KILL")).toBe(OK);
    await Promise.all(all);
    expect(order).toEqual(["script", "next"]);
    expect(await following).toBe(OK);
  });

  it("the transaction around it waits", async () => {
    for (const command of ["MULTI", "SET a 1", evaluate(FOR_EVER), "INCR a"]) {
      expect(atOnce(caller, command)).toBe(command === "MULTI" ? OK : QUEUED);
    }
    const result = ask(caller, "EXEC");
    expect(atOnce(other, "SCRIPT KILL")).toBe(OK);
    expect(await result).toMatchObject([OK, { kind: "error" }, 2]);
  });

  it("its client goes", async () => {
    const unanswered = atOnce(caller, evaluate(FOR_EVER));
    caller.disconnect();
    expect(atOnce(other, "GET a")).toEqual(new ErrorReply(BUSY));
    expect(atOnce(other, "SCRIPT KILL")).toBe(OK);
    while ((await ask(other, "PING")) instanceof ErrorReply) await new Promise((resolve) => setImmediate(resolve));
    expect(unanswered).toBeUndefined();
  });

  it("SHUTDOWN NOSAVE ends the server, and it with it", async () => {
    expect(atOnce(caller, evaluate("redis.call('SET', 'a', '1') while true do end"))).toBeUndefined();
    expect(atOnce(other, "SCRIPT KILL")).toMatchObject({ message: expect.stringMatching(/^UNKILLABLE /) as string });
    expect(atOnce(other, "SHUTDOWN")).toEqual(new ErrorReply(BUSY));
    atOnce(other, "SHUTDOWN NOSAVE");
    expect(ended.toSorted()).toEqual(["caller", "other"]);
    expect(server.engine.busy.active).toBe(false);
  });

  it("the script ends itself where it cannot pause", async () => {
    const script = "redis.call('SET', 'a', '1') table.sort({3, 2, 1}, function() while true do end end)";
    expect(await ask(caller, evaluate(script))).toMatchObject({
      message: expect.stringMatching(
        /^ERR Script ended after busy-reply-threshold, inside a function called by/,
      ) as string,
    });
    expect(await ask(other, "GET a")).toBe("1");
  });

  it("that is a second after the threshold, however long that is", () => {
    const clock = vi.spyOn(system, "monotonicMs").mockReturnValue(1_000);
    const timer = new RunTimer();
    timer.beginRun(5_000);
    expect(timer.pause()).toBe(false);
    clock.mockReturnValue(6_000);
    for (let asked = 0; asked < 10; asked += 1) expect(timer.pause()).toBe(true);
    clock.mockReturnValue(7_001);
    expect(() => timer.pause()).toThrow("Script ended after busy-reply-threshold");
    clock.mockRestore();
  });

  it("without a threshold it never is", async () => {
    await ask(other, "CONFIG SET busy-reply-threshold 0");
    expect(atOnce(caller, evaluate("local s = 0 for i = 1, 3000000 do s = s + 1 end return s"))).toBe(3_000_000);
    await ask(other, "CONFIG SET lua-time-limit 1");
    expect(atOnce(caller, evaluate(FOR_EVER))).toBeUndefined();
    expect(atOnce(other, "SCRIPT KILL")).toBe(OK);
  });
});
