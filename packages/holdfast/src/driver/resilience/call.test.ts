// What could go wrong: a call is repeated though it may have been executed, is not repeated though it may be, or outlives its deadline.
// Longer than other files: it goes through the table of what can happen to an attempt, row by row.
import { describe, expect, it } from "vitest";
import type { Call, Driver, OpClass } from "../port.ts";
import {
  ClosedError,
  type HoldfastError,
  InvalidArgumentError,
  OutcomeUnknownError,
  ServerError,
  TimeoutError,
  UnavailableError,
} from "../../base/errors.ts";
import { aWhile, now, setUp, SLACK_MS, TIMEOUT_MS, useFakeTime } from "../../../test/support/fake-time.ts";
import {
  closedByTransport,
  lost,
  refused,
  refusedWith,
  repliedWith,
  reply,
  type ScriptedTransport,
  watch,
} from "../../../test/support/scripted-transport.ts";

const WRITES: OpClass[] = ["idempotent", "dedupable", "unsafe"];
const REPEATABLE: OpClass[] = ["read", "idempotent", "dedupable"];
const ALL: OpClass[] = ["read", ...WRITES];

useFakeTime();

function callOf(opClass: OpClass, more: Partial<Call> = {}): Call {
  return { op: "box.put", class: opClass, key: "k1", ...more };
}

function send(driver: Driver, opClass: OpClass, more: Partial<Call> = {}): () => unknown {
  const outcome = watch(driver.send(["PUT", "k1"], callOf(opClass, more), "k1"));
  return () => {
    const settled = outcome();
    return settled !== undefined && "error" in settled ? settled.error : settled?.value;
  };
}

describe("an attempt that is answered", () => {
  it("returns the reply, sent once by its route", async () => {
    const { driver, transport } = setUp([reply(Buffer.from("v"))]);
    expect(await driver.send(["GET", "k"], callOf("read"), "k")).toEqual(Buffer.from("v"));
    expect(transport.attempts).toMatchObject([{ args: ["GET", "k"], route: "k" }]);
  });

  it.each(ALL)("ends a %s call with the server's error, not repeated", async (opClass) => {
    const { driver, transport } = setUp([repliedWith("WRONGTYPE", "Operation against a key")]);
    const result = send(driver, opClass);
    await now();
    expect(result()).toBeInstanceOf(ServerError);
    expect(result()).toMatchObject({
      code: "WRONG_TYPE",
      op: "box.put",
      key: "k1",
      prefix: "WRONGTYPE",
      retryable: false,
    });
    expect(transport.attempts).toHaveLength(1);
  });

  it("ends with ClosedError where the transport is closed", async () => {
    const { driver } = setUp([closedByTransport]);
    const result = send(driver, "unsafe");
    await now();
    expect(result()).toBeInstanceOf(ClosedError);
  });
});

describe("an attempt that is refused", () => {
  it.each(ALL)("parks a %s call and repeats it at once when a connection is up", async (opClass) => {
    const { driver, transport } = setUp([refused, reply("OK")]);
    const result = send(driver, opClass);
    await now();
    expect(result()).toBeUndefined();
    transport.emit("up");
    await now();
    expect(result()).toBe("OK");
  });

  it("finds by itself that a parked call can go on", async () => {
    const { driver } = setUp([refused, refused, reply("OK")]);
    const result = send(driver, "unsafe");
    await aWhile(TIMEOUT_MS / 2);
    expect(result()).toBe("OK");
  });

  it.each(["down", "closed"] as const)("is not woken by `%s`", async (state) => {
    const { driver, transport } = setUp([refused, reply("OK")]);
    send(driver, "read");
    await now();
    transport.emit(state);
    await now();
    expect(transport.attempts).toHaveLength(1);
  });

  it("keeps the order of calls that were parked together", async () => {
    const { driver, transport } = setUp([refused, refused, refused]);
    for (const value of ["1", "2", "3"]) void watch(driver.send(["SET", "k", value], callOf("idempotent"), "k"));
    await now();
    transport.emit("up");
    expect(transport.sent.slice(3)).toEqual(["SET k 1", "SET k 2", "SET k 3"]);
  });

  it.each(ALL)("backs off and repeats a %s call that the server refused", async (opClass) => {
    const { driver, transport } = setUp([refusedWith("LOADING"), refusedWith("TRYAGAIN"), reply("OK")]);
    const result = send(driver, opClass);
    await now();
    transport.emit("up");
    await now();
    expect(transport.attempts).toHaveLength(1);
    await aWhile(20 + 40 + 2 * SLACK_MS);
    expect(result()).toBe("OK");
  });

  it("gives up a back-off that would end after the deadline", async () => {
    const { driver, transport } = setUp([refusedWith("LOADING"), reply("OK")]);
    const result = send(driver, "unsafe", { timeoutMs: 5 });
    await now();
    expect(result()).toBeInstanceOf(UnavailableError);
    expect(result()).toMatchObject({ retryable: true, message: expect.stringContaining("still loading its data") });
    await aWhile(TIMEOUT_MS);
    expect(transport.attempts).toHaveLength(1);
  });

  it("is refused at once beyond `maxWaiting`, whoever waits for what", async () => {
    const { driver } = setUp([refused, refusedWith("LOADING"), refused, refusedWith("LOADING")], { maxWaiting: 2 });
    const results = [1, 2, 3, 4].map(() => send(driver, "unsafe"));
    await now();
    expect(results.map((result) => (result() as HoldfastError | undefined)?.code)).toEqual([
      undefined,
      undefined,
      "OVERLOADED",
      "OVERLOADED",
    ]);
  });

  it("polls at short intervals again once a call that waited was answered", async () => {
    const { driver, transport } = setUp(
      Array.from({ length: 6 }, () => refused),
      { timeout: "1m" },
    );
    transport.next(reply("OK"), lost, reply("again"));
    const first = send(driver, "read");
    await aWhile(5_000);
    expect(first()).toBe("OK");
    const second = send(driver, "read");
    await aWhile(25);
    expect(second()).toBe("again");
  });

  it.each([
    ["was answered", (_abort: AbortController, transport: ScriptedTransport) => transport.next(reply("OK"))],
    ["was aborted", (abort: AbortController) => abort.abort()],
  ])("makes room in the waiting room when a call that backed off %s", async (_name, end) => {
    const abort = new AbortController();
    const { driver, transport } = setUp([refusedWith("LOADING")], { maxWaiting: 1 });
    const first = send(driver, "read", { signal: abort.signal });
    await now();
    end(abort, transport);
    await aWhile(20 + SLACK_MS);
    expect(first()).toBeDefined();
    transport.next(refusedWith("LOADING"), reply("OK"));
    const second = send(driver, "read");
    await aWhile(20 + SLACK_MS);
    expect(second()).toBe("OK");
  });

  it("makes room in the waiting room when a call leaves it", async () => {
    const { driver, transport } = setUp([refused, reply("OK"), refused], { maxWaiting: 1 });
    send(driver, "read");
    await now();
    transport.emit("up");
    await now();
    const second = send(driver, "read");
    await now();
    expect(second()).toBeUndefined();
  });
});

describe("an attempt that is lost", () => {
  it.each(REPEATABLE)("is repeated for a %s call", async (opClass) => {
    const { driver, transport } = setUp([lost, reply("OK")]);
    const result = send(driver, opClass);
    await now();
    transport.emit("up");
    await now();
    expect(result()).toBe("OK");
  });

  it("is never repeated for an unsafe call: its outcome is unknown", async () => {
    const { driver, transport } = setUp([lost, reply("OK")]);
    const result = send(driver, "unsafe");
    await now();
    expect(result()).toBeInstanceOf(OutcomeUnknownError);
    expect(result()).toMatchObject({ op: "box.put", key: "k1", retryable: false, cause: { kind: "lost" } });
    transport.emit("up");
    await aWhile(TIMEOUT_MS);
    expect(transport.attempts).toHaveLength(1);
  });

  it("counts as lost when the transport breaks its contract", async () => {
    const { driver, transport } = setUp([{ error: new RangeError("odd") }]);
    const result = send(driver, "unsafe");
    transport.attempt = () => {
      throw new RangeError("odd, and at once");
    };
    const thrown = send(driver, "unsafe");
    await now();
    expect(result()).toBeInstanceOf(OutcomeUnknownError);
    expect(thrown()).toBeInstanceOf(OutcomeUnknownError);
  });

  it.each([
    ["the server's final word", repliedWith("OOM")],
    ["the end of the transport", closedByTransport],
  ])("stays unknown for a write through %s", async (_name, step) => {
    const { driver, transport } = setUp([lost, step]);
    const result = send(driver, "idempotent");
    await now();
    transport.emit("up");
    await now();
    expect(result()).toBeInstanceOf(OutcomeUnknownError);
    expect(result()).toMatchObject({ retryable: true });
  });

  it("ends with what it has when the retry budget is spent", async () => {
    const { driver } = setUp([lost, lost, reply("OK")], { retryBudget: 1 });
    const outcomes = [send(driver, "read"), send(driver, "idempotent")];
    await aWhile(TIMEOUT_MS / 2);
    expect(outcomes[0]!()).toBe("OK");
    expect(outcomes[1]!()).toBeInstanceOf(OutcomeUnknownError);
  });

  it("spends budget on refusals of the server, and none on waiting for a connection", async () => {
    const steps = [...Array.from({ length: 6 }, () => refused), refusedWith("LOADING"), refusedWith("LOADING")];
    const { driver, transport } = setUp(steps, { retryBudget: 1, timeout: "1h" });
    const result = send(driver, "read");
    for (let wake = 0; wake < 6; wake++) {
      await now();
      transport.emit("up");
    }
    await aWhile(20 + SLACK_MS);
    expect(transport.attempts).toHaveLength(8);
    expect(result()).toBeInstanceOf(UnavailableError);
    expect(result()).toMatchObject({ message: expect.stringContaining("retry budget") });
  });
});

describe("a deadline", () => {
  it("ends a read without an answer as TimeoutError, not early and not late", async () => {
    const { driver } = setUp([]);
    const result = send(driver, "read");
    await aWhile(TIMEOUT_MS - 1);
    expect(result()).toBeUndefined();
    await aWhile(1 + SLACK_MS);
    expect(result()).toBeInstanceOf(TimeoutError);
    expect(result()).toMatchObject({ op: "box.put", key: "k1", retryable: true });
  });

  it.each(WRITES)("leaves the outcome of a %s call unknown that was sent", async (opClass) => {
    const { driver, transport } = setUp([]);
    const result = send(driver, opClass);
    await aWhile(TIMEOUT_MS + SLACK_MS);
    expect(result()).toBeInstanceOf(OutcomeUnknownError);
    expect((result() as Error).cause).toBeInstanceOf(TimeoutError);
    expect(transport.attempts).toHaveLength(1);
  });

  it.each(ALL)("ends a %s call that no server took as not executed", async (opClass) => {
    const { driver, transport } = setUp([]);
    transport.rest = refused;
    const result = send(driver, opClass);
    await aWhile(TIMEOUT_MS + SLACK_MS);
    expect(result()).toBeInstanceOf(UnavailableError);
    expect((result() as Error).message).toContain("not executed");
  });

  it("remembers a lost write while it waits to repeat it", async () => {
    const { driver, transport } = setUp([lost]);
    const result = send(driver, "idempotent");
    await now();
    transport.rest = refused;
    await aWhile(TIMEOUT_MS + SLACK_MS);
    expect(result()).toBeInstanceOf(OutcomeUnknownError);
    expect((result() as Error).cause).toBeInstanceOf(TimeoutError);
  });

  it("is not moved by back-offs", async () => {
    const { driver, transport } = setUp([refusedWith("LOADING"), refusedWith("LOADING")]);
    const result = send(driver, "read");
    await aWhile(TIMEOUT_MS + SLACK_MS);
    expect(transport.attempts).toHaveLength(3);
    expect(result()).toBeInstanceOf(TimeoutError);
  });

  it("is the call's own where it has one", async () => {
    const { driver } = setUp([]);
    const result = send(driver, "read", { timeoutMs: 50 });
    await aWhile(50 + SLACK_MS);
    expect(result()).toBeInstanceOf(TimeoutError);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("of %s is refused at the door", async (timeoutMs) => {
    const { driver, transport } = setUp([]);
    const result = send(driver, "read", { timeoutMs });
    await now();
    expect(result()).toBeInstanceOf(InvalidArgumentError);
    expect(transport.attempts).toHaveLength(0);
  });

  it.each([reply("late"), lost, repliedWith("ERR"), refused])("drops what comes after it: %j", async (step) => {
    const { driver, transport } = setUp([]);
    const result = send(driver, "unsafe");
    await aWhile(TIMEOUT_MS + SLACK_MS);
    const [attempt] = transport.attempts;
    if (typeof step === "object" && "error" in step) attempt!.reject(step.error);
    else attempt!.resolve("late");
    await aWhile(TIMEOUT_MS);
    expect(result()).toBeInstanceOf(OutcomeUnknownError);
    expect(transport.attempts).toHaveLength(1);
  });
});
