/**
 * What could go wrong, and the test for each:
 * - the server is away and the holder goes on as if nothing were: "is lost by its own clock"
 * - a slow answer makes the deadline too late: "counts from before the request"
 * - a renewal hangs, and with it all later ones: "a renewal that is never answered"
 * - one failed renewal loses a lease that a second would have kept: "tries a failed renewal again"
 * - a renewal that was under way revives a released lease: "calls a renewal off when released"
 * - a stuck holder renews for ever: "stops renewing at maxHold"
 * - the loop is blocked past the deadline: "knows of its loss before its timer does"
 * - timers stay behind: "leaves no timer"
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LeaseLostError } from "../../base/errors.ts";
import { fakeTimeRuntime } from "../../../test/support/fake-time.ts";
import { type LeaseExtension, type LeaseEnd, type LeasePort, type LeaseTerms, TimedLease } from "./timed-lease.ts";

const TERMS: LeaseTerms = { label: 'lock "a"', ttlMs: 3_000, renew: true, maxHoldMs: Infinity };
const USABLE_MS = 3_000 - 30 - 2;

/** A port whose answers are handed out by the test. */
class ScriptedPort implements LeasePort {
  extensions: { ttlMs: number; timeoutMs: number; signal: AbortSignal | undefined }[] = [];
  releases = 0;
  extension: () => Promise<LeaseExtension> = () => Promise.resolve("extended");
  end: () => Promise<LeaseEnd> = () => Promise.resolve("released");

  extend(ttlMs: number, call: { timeoutMs: number; signal?: AbortSignal }): Promise<LeaseExtension> {
    this.extensions.push({ ttlMs, timeoutMs: call.timeoutMs, signal: call.signal });
    return this.extension();
  }

  /** The next renewals get no answer until the returned function answers the last of them. */
  holdExtension(): (outcome: LeaseExtension) => void {
    let resolve: (outcome: LeaseExtension) => void;
    this.extension = () =>
      new Promise((settle) => {
        resolve = settle;
      });
    return (outcome) => resolve(outcome);
  }

  release(): Promise<LeaseEnd> {
    this.releases += 1;
    return this.end();
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

describe("TimedLease", () => {
  let port: ScriptedPort;
  const open = (terms: Partial<LeaseTerms> = {}, grantedAt = performance.now(), onEnd?: () => void): TimedLease =>
    new TimedLease(fakeTimeRuntime, port, { ...TERMS, ...terms }, grantedAt, onEnd);

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    port = new ScriptedPort();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("renews at each third of the ttl, as long as it is held", async () => {
    const lease = open();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(port.extensions).toHaveLength(10);
    expect(lease.held).toBe(true);
    expect(lease.signal.aborted).toBe(false);
  });

  it("does not renew unless asked to", async () => {
    const lease = open({ renew: false });
    await vi.advanceTimersByTimeAsync(USABLE_MS - 1);
    expect(lease.held).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(port.extensions).toHaveLength(0);
    expect(lease.signal.reason).toMatchObject({ name: "LeaseLostError", code: "LEASE_LOST", reason: "expired" });
  });

  it("is lost by its own clock before the server's ttl is over, though no answer ever comes", async () => {
    const lost = vi.fn<() => void>();
    port.extension = never;
    const lease = open();
    lease.signal.addEventListener("abort", lost);
    await vi.advanceTimersByTimeAsync(USABLE_MS);
    expect(lost).toHaveBeenCalledOnce();
    expect(lease.held).toBe(false);
    expect(lease.remainingMs).toBe(0);
    // Each renewal has half of what is left.
    expect(port.extensions[0]!.timeoutMs).toBe((USABLE_MS - 1_000) / 2);
  });

  it("counts from before the request", async () => {
    const lease = open({}, performance.now() - 2_000);
    expect(lease.remainingMs).toBe(USABLE_MS - 2_000);
    const answer = port.holdExtension();
    await vi.advanceTimersByTimeAsync(500);
    answer("extended");
    await vi.advanceTimersByTimeAsync(0);
    expect(lease.remainingMs).toBe(USABLE_MS - 500);
  });

  it("tries a failed renewal again until its deadline", async () => {
    port.extension = () => Promise.reject(new Error("no server"));
    const lease = open();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(port.extensions.length).toBeGreaterThan(3);
    expect(lease.held).toBe(true);
    port.extension = () => Promise.resolve("extended");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(lease.held).toBe(true);
  });

  it("a renewal that is never answered is followed by another, and keeps the lease", async () => {
    port.extension = never;
    const lease = open();
    await vi.advanceTimersByTimeAsync(1_000);
    port.extension = () => Promise.resolve("extended");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(port.extensions[0]!.signal?.aborted).toBe(true);
    expect(lease.held).toBe(true);
  });

  it("an answer to a renewal that was given up still counts", async () => {
    const answer = port.holdExtension();
    const lease = open();
    await vi.advanceTimersByTimeAsync(1_000);
    port.extension = never;
    await vi.advanceTimersByTimeAsync(1_400);
    expect(port.extensions).toHaveLength(2);
    answer("extended");
    await vi.advanceTimersByTimeAsync(0);
    expect(lease.remainingMs).toBe(USABLE_MS - 1_400);
    answer("stolen");
  });

  it.each(["expired", "stolen"] as const)("ends at once when the server says %s", async (outcome) => {
    port.extension = () => Promise.resolve(outcome);
    const lease = open();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lease.held).toBe(false);
    expect(lease.signal.reason).toBeInstanceOf(LeaseLostError);
    expect((lease.signal.reason as LeaseLostError).reason).toBe(outcome);
    await expect(lease.extend(1_000)).resolves.toBe(outcome);
  });

  it("calls a renewal off when released, and ignores what it says later", async () => {
    const answer = port.holdExtension();
    const lease = open();
    await vi.advanceTimersByTimeAsync(1_000);
    await expect(lease.release()).resolves.toBe("released");
    expect(port.extensions[0]!.signal?.aborted).toBe(true);
    answer("stolen");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(lease.signal.aborted).toBe(false);
    expect(lease.held).toBe(false);
    expect(port.extensions).toHaveLength(1);
  });

  it("is released once, however often it is asked to be", async () => {
    const lease = open();
    expect(await Promise.all([lease.release(), lease.release()])).toEqual(["released", "released"]);
    await lease.release();
    expect(port.releases).toBe(1);
  });

  it("can be released again when the server could not be asked", async () => {
    port.end = () => Promise.reject(new Error("no server"));
    const lease = open();
    await expect(lease.release()).rejects.toThrow("no server");
    port.end = () => Promise.resolve("released");
    await expect(lease.release()).resolves.toBe("released");
  });

  it("has expired when the server cannot be asked and the deadline is over", async () => {
    port.extension = () => Promise.reject(new Error("no server"));
    port.end = () => Promise.reject(new Error("no server"));
    const lease = open();
    await vi.advanceTimersByTimeAsync(USABLE_MS);
    await expect(lease.release()).resolves.toBe("expired");
    expect(port.releases).toBe(1);
  });

  it("stops renewing at maxHold and informs the holder, who may still release it", async () => {
    const lease = open({ maxHoldMs: 4_500 });
    await vi.advanceTimersByTimeAsync(4_500);
    expect(lease.signal.reason).toMatchObject({ reason: "maxHold" });
    expect(lease.held).toBe(true);
    const renewals = port.extensions.length;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(port.extensions).toHaveLength(renewals);
    await expect(lease.release()).resolves.toBe("released");
  });

  it("is lost after maxHold by its deadline when nobody releases it", async () => {
    const lease = open({ maxHoldMs: 4_500 });
    await vi.advanceTimersByTimeAsync(4_500 + USABLE_MS);
    expect(lease.held).toBe(false);
  });

  it("knows of its loss before its timer does", () => {
    const lease = open({}, performance.now() - USABLE_MS);
    expect(lease.signal.aborted).toBe(true);
    expect(lease.held).toBe(false);
  });

  it("is extended by hand, and never made shorter", async () => {
    const lease = open({ renew: false });
    await expect(lease.extend(60_000)).resolves.toBe("extended");
    await expect(lease.extend(1_000)).resolves.toBe("extended");
    await vi.advanceTimersByTimeAsync(59_000);
    expect(lease.held).toBe(true);
  });

  it("informs the holder when it is closed, and releases", async () => {
    const lease = open();
    await lease.close();
    expect(lease.signal.reason).toMatchObject({ reason: "closed" });
    expect(port.releases).toBe(1);
  });

  it("leaves no timer, and is forgotten, when it is released or lost", async () => {
    const forgotten = vi.fn<() => void>();
    await open({}, performance.now(), forgotten).release();
    expect(forgotten).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
    const lost = vi.fn<() => void>();
    open({ renew: false }, performance.now(), lost);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(lost).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });
});
