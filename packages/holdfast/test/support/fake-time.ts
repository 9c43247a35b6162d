/** Unit tests of what waits: a runtime on vitest's fake timers, and a driver on that over a scripted transport. */
import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, beforeEach, vi } from "vitest";
import type { Runtime } from "../../src/base/runtime.ts";
import type { Driver } from "../../src/driver/port.ts";
import { createDriver, type ResilienceOptions } from "../../src/driver/resilience/driver.ts";
import { ScriptedTransport, type Step } from "./scripted-transport.ts";

/** Looks the timers up at each call; the library's own runtime has taken Node's at import. */
export const fakeTimeRuntime: Runtime = {
  now: () => performance.now(),
  setTimeout: (task, ms) => setTimeout(task, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  setInterval: (task, ms) => setInterval(task, ms),
  clearInterval: (timer) => clearInterval(timer as NodeJS.Timeout | undefined),
  setImmediate: (task) => void setImmediate(task),
  random: () => Math.random(),
  randomBytes: (size) => randomBytes(size),
  randomUUID: () => randomUUID(),
};

/** The default deadline of a scripted driver. */
export const TIMEOUT_MS = 1_000;
/** Three ticks of the deadline wheel: a deadline is at most so late. */
export const SLACK_MS = 15;

/** Every test of the file runs under fake timers. */
export function useFakeTime(): void {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
}

export const aWhile = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
/** What is already on its way happens. */
export const now = (): Promise<unknown> => aWhile(0);

export interface Scripted {
  readonly driver: Driver;
  readonly transport: ScriptedTransport;
}

export function setUp(steps: readonly Step[] = [], options: ResilienceOptions = {}): Scripted {
  const transport = new ScriptedTransport(...steps);
  return { transport, driver: createDriver(transport, { timeout: TIMEOUT_MS, ...options }, fakeTimeRuntime) };
}
