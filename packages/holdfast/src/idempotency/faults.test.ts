/**
 * Idempotency keys when something breaks, on servers of this file's own.
 * What could go wrong, and the test for each:
 * - the answer to the beginning is lost: the key is blocked, or runs twice ... "a lost answer to the beginning"
 * - the request is lost, or given up: the same ................................ "a lost request", "given up"
 * - the answer to the end is lost: the outcome is another's, or an error ..... "a lost answer to the end"
 * - the server is away while the function runs: its outcome is lost .......... "is stored once the server is back"
 * - or the caller takes what is not stored for an outcome .................... "is not returned"
 * - the server is away before: the function is called ........................ "is not called"
 * - a full memory loses an outcome, or the lease ............................. "a full memory"
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { losingAnswer, losingRequest } from "../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { OutcomeUnknownError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { IdempotencyRun } from "./runs.ts";
import { begin, finish } from "./scripts.gen.ts";

describe("idempotency under faults [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;
  const fn = vi.fn<(run: IdempotencyRun) => number>(({ attempt }) => attempt);

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    fn.mockClear();
    const prefix = `test-${randomUUID()}`;
    [hf, direct] = await Promise.all([
      connect(proxy.url, { prefix, timeout: "20s" }),
      connect(server.url, { prefix, timeout: "20s" }),
    ]);
    // The server knows the scripts.
    await hf.idempotency("once").run("first", () => 1);
  });
  afterEach(async () => {
    server.resume();
    await proxy.heal();
    await server.command("CONFIG", "SET", "maxmemory", "0");
    await Promise.all([hf.close(), direct.close()]);
  });

  it("a lost answer to the beginning is found out: the function runs once, in its first attempt", async () => {
    const result = losingAnswer(proxy, begin, () => hf.idempotency("once").run("k", fn));
    expect(await result).toEqual({ value: 1, replayed: false });
    expect(await direct.idempotency("once").run("k", fn)).toEqual({ value: 1, replayed: true });
    expect(fn).toHaveBeenCalledOnce();
  });

  it("a lost request to begin is sent again", async () => {
    const result = losingRequest(proxy, begin, () => hf.idempotency("once").run("k", fn));
    expect(await result).toEqual({ value: 1, replayed: false });
  });

  it("given up after its answer was lost: the key is free for the next, long before its lease is over", async () => {
    proxy.dropReplies();
    const executed = proxy.sawReply("run");
    const abort = new AbortController();
    const call = hf.idempotency("once", { lease: "1h" }).run("k", fn, { signal: abort.signal });
    await executed;
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: "ABORTED" });
    await proxy.heal();
    const next = until("the key to be free", async () => {
      const result = await direct.idempotency("once").tryRun("k", fn);
      return result.status === "ok" && result;
    });
    expect(await next).toEqual({ status: "ok", value: 2, replayed: false });
  });

  it("a lost answer to the end is found out: the outcome is the first one's", async () => {
    const result = await losingAnswer(
      proxy,
      finish,
      () => hf.idempotency("once").run("k", fn),
      async () => expect(await direct.idempotency("once").run("k", fn)).toEqual({ value: 1, replayed: true }),
    );
    expect(result).toEqual({ value: 1, replayed: false });
    expect(fn).toHaveBeenCalledOnce();
  });

  it("what ends while the server is away is stored once the server is back", async () => {
    const quick = { timeout: 200, lease: "20s" } as const;
    const result = hf.idempotency("once", quick).run("k", async () => {
      await server.pause();
      return "done";
    });
    await new Promise((resolve) => setTimeout(resolve, 600));
    server.resume();
    expect(await result).toEqual({ value: "done", replayed: false });
    expect(await direct.idempotency("once").run("k", fn)).toEqual({ value: "done", replayed: true });
  });

  it("what could not be stored before its lease was over is not returned, and may run again", async () => {
    const result = hf.idempotency("once", { timeout: 100, lease: 500 }).run("k", async () => {
      await server.pause();
      return "done";
    });
    const error: unknown = await result.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect((error as Error).message).toContain('idempotency "once": the run of "k" has ended');
    server.resume();
    const next = await direct.idempotency("once").run("k", fn);
    // Its last request may have been executed late.
    expect([
      { value: 2, replayed: false },
      { value: "done", replayed: true },
    ]).toContainEqual(next);
  });

  it("while the server is away the function is not called, and the call rejects in time", async () => {
    await server.pause();
    const calls = [
      hf.idempotency("once", { timeout: 100 }).tryRun("k", fn),
      hf.idempotency("once", { timeout: 100 }).run("k", fn, { wait: 300 }),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ retryable: true });
    expect(fn).not.toHaveBeenCalled();
  });

  it("a full memory refuses new runs, and stores the outcomes of those that run, which are renewed", async () => {
    const keys = hf.idempotency("once", { lease: "3s" });
    const result = keys.run("k", async ({ signal }) => {
      await server.command("CONFIG", "SET", "maxmemory", "1");
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      signal.throwIfAborted();
      return "x".repeat(1_000);
    });
    expect((await result).value).toHaveLength(1_000);
    expect(await direct.idempotency("once").run("k", fn)).toMatchObject({ replayed: true });
    await expect(keys.run("other", fn, { wait: 0 })).rejects.toMatchObject({ code: "SERVER_FULL" });
    expect(fn).not.toHaveBeenCalled();
  });
});
