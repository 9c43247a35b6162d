// What could go wrong: a script overtakes another, a connection is lost or lent twice, a close leaves a call hanging.
// Longer than other files: it goes through each method of the port.
import { describe, expect, it, vi } from "vitest";
import type { Call, ChannelListener, Driver, Lease } from "../port.ts";
import {
  AbortedError,
  ClosedError,
  InvalidArgumentError,
  OutcomeUnknownError,
  ServerError,
  TimeoutError,
  UnavailableError,
} from "../../base/errors.ts";
import { createDriver } from "./driver.ts";
import { aWhile, now, setUp, SLACK_MS, TIMEOUT_MS, useFakeTime } from "../../../test/support/fake-time.ts";
import {
  lost,
  NODE,
  refused,
  refusedWith,
  repliedWith,
  reply,
  ScriptedTransport,
  type Step,
  watch,
} from "../../../test/support/scripted-transport.ts";

const PAST_DEADLINE_MS = TIMEOUT_MS + SLACK_MS;
const READ: Call = { op: "box.get", class: "read" };
const UNSAFE: Call = { op: "box.add", class: "unsafe" };
const SCRIPT = { name: "box.add", lua: "return 1", sha1: "abc" };
const LISTENER: ChannelListener = { message: () => {}, gap: () => {} };

useFakeTime();

describe("a driver", () => {
  it("hands on what the transport knows", () => {
    const { driver, transport } = setUp();
    const events: string[] = [];
    const end = driver.onState((event) => events.push(event.state));
    transport.emit("down");
    end();
    transport.emit("up");
    expect(events).toEqual(["down"]);
    expect(driver.nodes()).toEqual(transport.nodes());
    expect(driver.caps).toBe(transport.caps);
    expect(driver.timeoutMs).toBe(TIMEOUT_MS);
    expect(driver.slotOf("k")).toBe(0);
  });

  it.each([
    { timeout: 0 },
    { maxWaiting: -1 },
    { retryBudget: 1.5 },
    { breakerFailures: 0 },
    { breakerCoolDown: 0 },
    { closeTimeout: -1 },
    { breaker: "no" as unknown as boolean },
  ])("refuses %j at the door", (options) => {
    expect(() => createDriver(new ScriptedTransport(), options)).toThrow(InvalidArgumentError);
  });
});

describe("a script", () => {
  it("is called by its hash, routed by its first key", async () => {
    const { driver, transport } = setUp([reply(1)]);
    expect(await driver.script(SCRIPT, ["k1", "k2"], ["a"], UNSAFE)).toBe(1);
    expect(transport.attempts).toMatchObject([{ args: ["EVALSHA", "abc", "2", "k1", "k2", "a"], route: "k1" }]);
  });

  it("goes whole on a connection's first call, so that the calls after it cannot overtake it", async () => {
    const { driver, transport } = setUp([reply(1), reply(2), reply(3)]);
    transport.connection = {};
    const calls = [driver.script(SCRIPT, ["k1"], [], READ), driver.script(SCRIPT, ["k1"], [], READ)];
    expect(await Promise.all(calls)).toEqual([1, 2]);
    transport.connection = {};
    await driver.script(SCRIPT, ["k1"], [], READ);
    expect(transport.attempts.map(({ args }) => args[0])).toEqual(["EVAL", "EVALSHA", "EVAL"]);
  });

  it("goes whole again after the server lost its scripts", async () => {
    const { driver, transport } = setUp([reply(1), repliedWith("NOSCRIPT"), reply(2), reply(3)]);
    transport.connection = {};
    for (const answer of [1, 2, 3]) expect(await driver.script(SCRIPT, ["k1"], [], READ)).toBe(answer);
    expect(transport.attempts.map(({ args }) => args[0])).toEqual(["EVAL", "EVALSHA", "EVAL", "EVALSHA"]);
  });

  it.each([repliedWith("NOSCRIPT"), refusedWith("NOSCRIPT")])(
    "is sent whole when unknown, also an unsafe one",
    async (step) => {
      const { driver, transport } = setUp([step, reply(1)]);
      expect(await driver.script(SCRIPT, ["k1"], ["a"], UNSAFE)).toBe(1);
      expect(transport.attempts[1]).toMatchObject({ args: ["EVAL", "return 1", "1", "k1", "a"], route: "k1" });
    },
  );

  it("without keys goes anywhere", async () => {
    const { driver, transport } = setUp([reply(1)]);
    await driver.script(SCRIPT, [], [], READ);
    expect(transport.attempts).toMatchObject([{ args: ["EVALSHA", "abc", "0"], route: undefined }]);
  });

  it("has an unknown outcome when it is lost after it was sent whole", async () => {
    const { driver, transport } = setUp([repliedWith("NOSCRIPT"), lost]);
    await expect(driver.script(SCRIPT, ["k1"], [], UNSAFE)).rejects.toThrow(OutcomeUnknownError);
    expect(transport.attempts).toHaveLength(2);
  });

  it("ends when the server knows it neither by hash nor whole", async () => {
    const { driver, transport } = setUp([repliedWith("NOSCRIPT"), repliedWith("NOSCRIPT")]);
    await expect(driver.script(SCRIPT, ["k1"], [], UNSAFE)).rejects.toThrow(ServerError);
    expect(transport.attempts).toHaveLength(2);
  });
});

describe("a batch", () => {
  it("is attempted in one tick and reports each command's own outcome", async () => {
    const { driver, transport } = setUp([reply("a"), repliedWith("WRONGTYPE"), lost, refused]);
    const outcomes = watch(driver.batch([["A"], ["B"], ["C"], ["D"], ["E"]], UNSAFE, "k"));
    expect(transport.sent).toEqual(["A", "B", "C", "D", "E"]);
    await now();
    transport.next(reply("d"));
    transport.emit("up");
    await aWhile(PAST_DEADLINE_MS);
    expect(outcomes()).toEqual({
      value: ["a", expect.any(ServerError), expect.any(OutcomeUnknownError), "d", expect.any(OutcomeUnknownError)],
    });
    expect(transport.sent.slice(5)).toEqual(["D"]);
  });

  it("of nothing has no outcomes", async () => {
    expect(await setUp().driver.batch([], READ)).toEqual([]);
  });
});

describe("a lease", () => {
  async function borrow(...steps: Step[]): Promise<{ lease: Lease; driver: Driver; transport: ScriptedTransport }> {
    const { driver, transport } = setUp(steps);
    return { lease: await driver.lease("k", READ), driver, transport };
  }

  it("sends on its own connection and is given back once", async () => {
    const { lease, transport } = await borrow(reply("OK"));
    expect(await lease.send(["WATCH", "k"], READ)).toBe("OK");
    expect(lease.node).toBe(NODE);
    lease.release();
    lease.release();
    expect(transport.leases[0]!.state).toBe("released");
    await expect(lease.send(["GET", "k"], READ)).rejects.toThrow(ClosedError);
  });

  it.each([
    ["read", lost, UnavailableError],
    ["unsafe", lost, OutcomeUnknownError],
    ["unsafe", refused, UnavailableError],
    ["read", refusedWith("LOADING"), UnavailableError],
  ] as const)("attempts a %s command only once", async (opClass, step, expected) => {
    const { lease, transport } = await borrow(step, reply("OK"));
    await expect(lease.send(["EXEC"], { op: "tx", class: opClass })).rejects.toThrow(expected);
    await aWhile(PAST_DEADLINE_MS);
    expect(transport.attempts).toHaveLength(1);
  });

  it("keeps the connection after an error reply", async () => {
    const { lease, transport } = await borrow(repliedWith("WRONGTYPE"), reply("OK"));
    await expect(lease.send(["INCR", "k"], UNSAFE)).rejects.toThrow(ServerError);
    expect(transport.leases[0]!.state).toBe("open");
    expect(await lease.send(["GET", "k"], READ)).toBe("OK");
  });

  it.each([
    ["read", TimeoutError],
    ["unsafe", OutcomeUnknownError],
  ] as const)("destroys the connection at the deadline of a %s command", async (opClass, expected) => {
    const { lease, transport } = await borrow();
    const result = watch(lease.send(["EXEC"], { op: "tx", class: opClass }));
    await aWhile(PAST_DEADLINE_MS);
    expect(result()).toMatchObject({ error: expect.any(expected) });
    expect(transport.leases[0]!.state).toBe("destroyed");
    await expect(lease.send(["GET", "k"], READ)).rejects.toThrow(ClosedError);
  });

  it("that comes too late goes back at once, and the search is called off", async () => {
    const { driver, transport } = setUp();
    transport.connecting = "silence";
    const result = watch(driver.lease("k", UNSAFE));
    await aWhile(PAST_DEADLINE_MS);
    expect(result()).toMatchObject({ error: expect.any(TimeoutError) });
    transport.open();
    await now();
    expect(transport.leases[0]).toMatchObject({ state: "released", signal: { aborted: true } });
  });
});

describe("a blocking command", () => {
  it("borrows a connection and returns it", async () => {
    const { driver, transport } = setUp([reply(["k", "v"])]);
    expect(await driver.blocking(["BLPOP", "k", "5"], 5_000, UNSAFE, "k")).toEqual(["k", "v"]);
    expect(transport.leases[0]!.state).toBe("released");
  });

  it("has the time it blocks on top of its deadline", async () => {
    const { driver, transport } = setUp();
    const result = watch(driver.blocking(["BLPOP", "k", "5"], 5_000, UNSAFE, "k"));
    await aWhile(5_000 + TIMEOUT_MS - 1);
    expect(result()).toBeUndefined();
    await aWhile(16);
    expect(result()).toMatchObject({ error: expect.any(OutcomeUnknownError) });
    expect(transport.leases[0]!.state).toBe("destroyed");
  });

  it.each([
    ["read", AbortedError],
    ["unsafe", OutcomeUnknownError],
  ] as const)("ends its %s connection with the caller's signal", async (opClass, expected) => {
    const { driver, transport } = setUp();
    const abort = new AbortController();
    const result = watch(
      driver.blocking(["BLPOP", "k", "5"], 5_000, { op: "q", class: opClass, signal: abort.signal }),
    );
    await now();
    abort.abort();
    await now();
    expect(result()).toMatchObject({ error: expect.any(expected) });
    expect(transport.leases[0]!.state).toBe("destroyed");
  });

  it("was not executed while it still waits for a connection", async () => {
    const { driver, transport } = setUp();
    transport.connecting = "silence";
    const result = watch(driver.blocking(["BLPOP", "k", "1"], 0, UNSAFE));
    await aWhile(PAST_DEADLINE_MS);
    expect(result()).toMatchObject({ error: expect.any(TimeoutError) });
    transport.open();
    await now();
    expect(transport.leases[0]!.state).toBe("released");
    expect(transport.attempts).toHaveLength(0);
  });

  it("was not executed while it waits for another connection after a refusal", async () => {
    const { driver, transport } = setUp([refused]);
    const result = watch(driver.blocking(["BLPOP", "k", "1"], 0, UNSAFE));
    await now();
    transport.connecting = "silence";
    await aWhile(PAST_DEADLINE_MS);
    expect(result()).toMatchObject({ error: expect.any(TimeoutError) });
  });

  it("begins again on a new connection where its class allows", async () => {
    const { driver, transport } = setUp([lost, reply(null)]);
    const result = watch(driver.blocking(["XREAD", "BLOCK", "5"], 5, READ));
    await now();
    transport.emit("up");
    await now();
    expect(result()).toEqual({ value: null });
    expect(transport.leases.map(({ state }) => state)).toEqual(["released", "released"]);
  });
});

describe.each([
  ["subscribe", (driver: Driver) => driver.subscribe("exact", "news", LISTENER, UNSAFE)],
  ["onInvalidate", (driver: Driver) => driver.onInvalidate("p:", { keys: () => {}, flush: () => {} }, UNSAFE)],
])("%s", (_name, start) => {
  it("resolves to the transport's subscription", async () => {
    const { driver, transport } = setUp();
    const subscription = await start(driver);
    await subscription.close();
    expect(transport.subscriptions).toEqual([{ closed: true }]);
  });

  it("ends at its deadline and closes what comes later", async () => {
    const { driver, transport } = setUp();
    transport.connecting = "silence";
    const result = watch(start(driver));
    await aWhile(PAST_DEADLINE_MS);
    expect(result()).toMatchObject({ error: expect.any(TimeoutError) });
    transport.open();
    await now();
    expect(transport.subscriptions).toEqual([{ closed: true }]);
  });
});

describe("close", () => {
  it("is one and the same, ends the transport once, and refuses what comes after", async () => {
    const { driver, transport } = setUp();
    const lease = await driver.lease("k", READ);
    expect(driver.close()).toBe(driver.close());
    await driver.close();
    expect(transport.closes).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
    const refusals = [
      driver.send(["GET", "k"], READ),
      driver.script(SCRIPT, ["k"], [], READ),
      driver.lease("k", READ),
      driver.blocking(["BLPOP"], 1, READ),
      driver.subscribe("exact", "c", LISTENER, READ),
      lease.send(["GET", "k"], READ),
    ];
    for (const refusal of refusals) await expect(refusal).rejects.toThrow(ClosedError);
    expect(await driver.batch([["A"]], READ)).toEqual([expect.any(ClosedError)]);
    expect(transport.attempts).toHaveLength(0);
  });

  it("waits for calls in flight, also for one that backs off", async () => {
    const { driver, transport } = setUp([refusedWith("LOADING")]);
    const result = watch(driver.send(["GET", "k"], READ));
    await now();
    const closed = watch(driver.close());
    await aWhile(100);
    expect(closed()).toBeUndefined();
    transport.attempts[1]!.resolve("v");
    await now();
    expect(result()).toEqual({ value: "v" });
    expect(closed()).toBeDefined();
    expect(transport.closes).toBe(1);
  });

  it("waits no longer than `closeTimeout`, then reports to each call what is true", async () => {
    const { driver, transport } = setUp([], { timeout: "1m", closeTimeout: "2s" });
    const read = watch(driver.send(["GET", "k"], READ));
    const write = watch(driver.send(["ADD", "k"], UNSAFE));
    transport.rest = refused;
    const parked = watch(driver.send(["ADD", "k"], UNSAFE));
    await now();
    const closed = watch(driver.close());
    await aWhile(1_999);
    expect(closed()).toBeUndefined();
    await aWhile(1);
    expect(closed()).toEqual({ value: undefined });
    expect(parked()).toMatchObject({ error: expect.any(ClosedError) });
    expect(read()).toMatchObject({ error: expect.any(ClosedError) });
    expect(write()).toMatchObject({ error: expect.any(OutcomeUnknownError) });
    expect((write() as { error: Error }).error.cause).toBeInstanceOf(ClosedError);
  });

  it("ends also when the transport does not", async () => {
    const { driver, transport } = setUp();
    transport.close = () => new Promise(() => {});
    const closed = watch(driver.close());
    await aWhile(2_000);
    expect(closed()).toEqual({ value: undefined });
  });
});
