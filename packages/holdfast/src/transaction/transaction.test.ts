/**
 * What could go wrong, and the test that watches it:
 * - an update of another is overwritten ................................. "loses no update of many at once"
 * - a conflict is taken for success, or repeated for ever ............... "returns a conflict"
 * - reads of two moments are taken for one .............................. "a transaction that only reads"
 * - a failed function leaves a WATCH on a connection that others borrow ... "leaves no watch behind"
 * - a wrong command is executed in part, or its error is lost ............ "a command that the server refuses"
 * - the outcome of a lost EXEC is reported as a failure and repeated ......... "EXEC was sent"
 * - a connection lost before EXEC fails the caller ...................... "before EXEC"
 * - a function that never ends, or ends late, hangs or commits .......... "its deadline"
 * - keys of several slots fail on the server, late and in its words ...... "keys of several slots"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { startProxy } from "../../test/support/proxy.ts";
import { connect } from "../connect.ts";
import { AbortedError, ClosedError, OutcomeUnknownError, ServerError, TimeoutError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Transaction } from "./attempt.ts";

function addOne(key: string): (tx: Transaction) => Promise<number> {
  return async (tx) => {
    const next = Number((await tx.send("GET", key)) ?? 0) + 1;
    tx.queue("SET", key, next, "PX", 60_000);
    return next;
  };
}

function nothing(): void {}

describe.each(backends())("transactions [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(async () => {
    const prefix = `test-${randomUUID()}`;
    [hf, other] = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });

  afterAll(async () => {
    await Promise.all([hf?.close(), other?.close()]);
  });

  const fresh = (name = "a"): string => hf.key(randomUUID(), name);

  async function send(...args: string[]): Promise<unknown> {
    return other.driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  }

  async function stored(key: string): Promise<string | undefined> {
    const value = await send("GET", key);
    return value === null ? undefined : (value as Buffer).toString();
  }

  it("commits what was queued and returns the value and the replies", async () => {
    const key = fresh();
    const result = await hf.transaction([key], (tx) => {
      tx.queue("SET", key, "x", "PX", 60_000);
      tx.queue("APPEND", key, Buffer.from([0, 255]));
      tx.queue("PTTL", key);
      return "done";
    });
    expect(result).toMatchObject({ status: "ok", value: "done" });
    const { replies } = result as { replies: unknown[] };
    expect(replies.slice(0, 2)).toEqual(["OK", 3]);
    expect(replies[2]).toBeGreaterThan(50_000);
  });

  it("loses no update of many at once", async () => {
    const key = fresh();
    const work = Array.from({ length: 24 }, (_, nth) =>
      (nth % 2 === 0 ? hf : other).transaction([key], addOne(key), { attempts: 1_000, timeout: "20s" }),
    );
    const results = await Promise.all(work);
    expect(results.every(({ status }) => status === "ok")).toBe(true);
    expect(await stored(key)).toBe("24");
    const values = results.map((result) => (result as { value: number }).value);
    expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, nth) => nth + 1));
  });

  it("runs the function again after a conflict", async () => {
    const key = fresh();
    let runs = 0;
    const result = await hf.transaction([key], async (tx) => {
      runs += 1;
      const seen = await tx.send("GET", key);
      if (runs < 3) await send("SET", key, `other ${runs}`, "PX", "60000");
      tx.queue("SET", key, "mine", "PX", 60_000);
      return seen === null ? undefined : String(seen);
    });
    expect(result).toMatchObject({ status: "ok", value: "other 2" });
    expect(runs).toBe(3);
    expect(await stored(key)).toBe("mine");
  });

  it("returns a conflict after `attempts`, with nothing executed", async () => {
    const key = fresh();
    let runs = 0;
    const result = await hf.transaction(
      [key],
      async (tx) => {
        runs += 1;
        await send("SET", key, `other ${runs}`, "PX", "60000");
        tx.queue("SET", key, "mine");
      },
      { attempts: 4 },
    );
    expect(result).toEqual({ status: "conflict", attempts: 4 });
    expect(runs).toBe(4);
    expect(await stored(key)).toBe("other 4");
  });

  it("a transaction that only reads has read one moment, or is run again", async () => {
    const group = randomUUID();
    const [left, right] = [hf.key(group, "left"), hf.key(group, "right")];
    let runs = 0;
    const result = await hf.transaction([left, right], async (tx) => {
      runs += 1;
      const first = await tx.send("GET", left);
      if (runs === 1) for (const key of [left, right]) await send("SET", key, "new", "PX", "60000");
      return [first, await tx.send("GET", right)].map((value) => value && String(value));
    });
    expect(result).toMatchObject({ status: "ok", value: ["new", "new"], replies: [] });
    expect(runs).toBe(2);
  });

  it("passes the function's error on, executes nothing and leaves no watch behind", async () => {
    const key = fresh();
    const failure = new Error("mine");
    const failing = (tx: Transaction): never => {
      tx.queue("SET", key, "no");
      throw failure;
    };
    await expect(hf.transaction([key], failing)).rejects.toBe(failure);
    await send("SET", key, "theirs", "PX", "60000");
    const elsewhere = fresh();
    const result = await hf.transaction([elsewhere], addOne(elsewhere), { attempts: 1 });
    expect(result.status).toBe("ok");
    expect(await stored(key)).toBe("theirs");
  });

  it("rejects for a command that the server refuses, with nothing executed", async () => {
    const key = fresh();
    const wrong = (tx: Transaction): void => {
      tx.queue("SET", key, "x");
      tx.queue("GET", key, "too", "many");
    };
    await expect(hf.transaction([key], wrong)).rejects.toThrow(/wrong number of arguments/);
    await expect(hf.transaction([key], wrong)).rejects.toBeInstanceOf(ServerError);
    expect(await stored(key)).toBeUndefined();
  });

  it("returns a command's own failure in its place, for the others have taken effect", async () => {
    const key = fresh();
    const result = await hf.transaction([key], (tx) => {
      tx.queue("SET", key, "text", "PX", 60_000);
      tx.queue("LPUSH", key, "x");
      tx.queue("APPEND", key, "!");
    });
    expect(result).toMatchObject({ status: "ok", replies: ["OK", expect.any(Error), 5] });
  });

  it("rejects at its deadline when the function never ends, and commits nothing when it ends late", async () => {
    const key = fresh();
    let late: Transaction | undefined;
    const endless = (tx: Transaction): Promise<void> => {
      late = tx;
      tx.queue("SET", key, "no");
      return new Promise(() => {});
    };
    await expect(hf.transaction([key], endless, { timeout: "2s" })).rejects.toBeInstanceOf(TimeoutError);
    expect(() => late!.queue("SET", key, "no")).toThrow(ClosedError);
    await expect(late!.send("GET", key)).rejects.toBeInstanceOf(ClosedError);
    expect(await stored(key)).toBeUndefined();
  });

  it("ends by its signal", async () => {
    const key = fresh();
    const abort = new AbortController();
    const reason = new Error("enough");
    const body = (): Promise<void> => {
      abort.abort(reason);
      return new Promise(() => {});
    };
    const error: unknown = await hf
      .transaction([key], body, { signal: abort.signal })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AbortedError);
    expect((error as AbortedError).cause).toBe(reason);
  });

  it("refuses what it cannot do", async () => {
    const key = fresh();
    for (const keys of [[], [""], [key, undefined], [null], key, undefined, null]) {
      await expect(hf.transaction(keys as string[], nothing)).rejects.toMatchObject({ field: "keys" });
    }
    await expect(hf.transaction([key], undefined as never)).rejects.toMatchObject({ field: "body" });
    for (const keys of ["abc", undefined])
      await expect(hf.transaction([key], (tx) => tx.mget(keys as never))).rejects.toMatchObject({ field: "keys" });
    await expect(hf.transaction([key], nothing, { attempts: 0 })).rejects.toMatchObject({ field: "attempts" });
    await expect(hf.transaction([key], nothing, { attempt: 1 } as object)).rejects.toThrow(
      'transaction: attempt: expected another name (did you mean "attempts"?)',
    );
    await expect(hf.transaction([key], nothing, 5 as never)).rejects.toMatchObject({ field: "options" });
    await expect(hf.transaction([key], nothing, { timeout: -1 })).rejects.toMatchObject({ field: "timeout" });
    await expect(hf.transaction([key], (tx) => tx.queue("exec"))).rejects.toMatchObject({ field: "command" });
    await expect(hf.transaction([key], (tx) => tx.send(""))).rejects.toMatchObject({ field: "command" });
  });
});

describe.each(backends("cluster"))("transactions on slots [$name] [$name]", ({ url, options }) => {
  it("refuses keys of several slots, and says how to make them of one", async () => {
    await using hf = await connect(url, { ...options, prefix: `test-${randomUUID()}` });
    const keys = Array.from({ length: 8 }, (_, nth) => hf.key(`group-${nth}`, "a"));
    await expect(hf.transaction(keys, nothing)).rejects.toThrow("hf.key(group, name)");
    const watched = keys.slice(0, 1);
    const own = hf.key("group-0", "b");
    const straying: ((tx: Transaction) => void)[] = [
      (tx) => tx.queue("SET", keys[1]!, "x"),
      (tx) => tx.queue("DEL", own, keys[1]!),
      (tx) => tx.queue("EVAL", "return 1", 2, own, keys[1]!),
      (tx) => tx.queue("OBJECT", "ENCODING", keys[1]!),
    ];
    for (const body of straying) {
      await expect(hf.transaction(watched, body)).rejects.toThrow(/key of [A-Z]+: expected a key in the same slot/);
    }
    const fine = await hf.transaction(watched, (tx) => {
      tx.queue("MSET", own, "1", watched[0]!, "2");
      tx.queue("PING");
      tx.queue("DEL", own, watched[0]!);
    });
    expect(fine).toMatchObject({ status: "ok", replies: ["OK", "PONG", 2] });
  });
});

describe.each(backends("standalone"))("transactions on a bad connection [$name]", ({ url }) => {
  it("begins again when the connection is lost before EXEC", async () => {
    await using proxy = await startProxy({ port: Number(new URL(url).port) });
    await using hf = await connect(proxy.url, { prefix: `test-${randomUUID()}` });
    const key = hf.key("group", "a");
    let runs = 0;
    const result = await hf.transaction([key], async (tx) => {
      runs += 1;
      if (runs === 1) proxy.reset();
      const seen = await tx.send("GET", key);
      tx.queue("SET", key, runs, "PX", 60_000);
      return seen;
    });
    expect(result).toMatchObject({ status: "ok", value: null });
    expect(runs).toBe(2);
  });

  it("reports an unknown outcome when the connection is lost after EXEC was sent, and repeats nothing", async () => {
    await using proxy = await startProxy({ port: Number(new URL(url).port) });
    await using hf = await connect(proxy.url, { prefix: `test-${randomUUID()}` });
    const key = hf.key("group", "a");
    let runs = 0;
    const executed = proxy.sawReply("QUEUED");
    const transaction = hf.transaction([key], async (tx) => {
      runs += 1;
      await tx.send("GET", key);
      tx.queue("INCR", key);
      proxy.dropReplies();
    });
    const failure = transaction.catch((error: unknown) => error);
    await executed;
    proxy.reset();
    expect(await failure).toBeInstanceOf(OutcomeUnknownError);
    await proxy.heal();
    expect(runs).toBe(1);
    expect(String(await hf.driver.send(["GET", key], { op: "test", class: "read" }, key))).toBe("1");
  });

  it("waits for a server that is away", async () => {
    await using proxy = await startProxy({ port: Number(new URL(url).port) });
    await using hf = await connect(proxy.url, { prefix: `test-${randomUUID()}` });
    const key = hf.key("group", "a");
    proxy.refuse();
    proxy.cut();
    const transaction = hf.transaction([key], (tx) => tx.queue("SET", key, "x", "PX", 60_000));
    await proxy.heal();
    expect(await transaction).toMatchObject({ status: "ok" });
  });
});
