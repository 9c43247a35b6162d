/**
 * Where time and chance come from. Everything in this library that reads a clock, sets a timer or draws a random number
 * does it here: with a real server that is Node's own, in a simulation (`holdfast/testing`) a virtual one, so that a run
 * which depends on nothing else can be repeated from a seed.
 *
 * `nextTick`, microtasks and promises are Node's own everywhere: within one process their order is certain.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { onAbort } from "./abort.ts";

export interface Timer {
  /** It does not keep the process alive any more. */
  unref(): unknown;
}

export interface Runtime {
  /** Milliseconds, with fractions, on a clock that never goes back. */
  now(): number;
  setTimeout(task: () => void, ms: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
  setInterval(task: () => void, ms: number): Timer;
  clearInterval(timer: Timer | undefined): void;
  /** As `setImmediate`: after Node has looked for input once. */
  setImmediate(task: () => void): void;
  /** 0 <= x < 1 */
  random(): number;
  randomBytes(size: number): Buffer;
  randomUUID(): string;
}

/** Node's timers as they are when this module is loaded, so that fake timers of a test never stop a connection. */
const { clearInterval, clearTimeout, performance, setImmediate, setInterval, setTimeout } = globalThis;

/** Node's `process.nextTick` as it is when this module is loaded, for the same reason. */
export const nextTick: typeof process.nextTick = process.nextTick.bind(process);

/** Node's own. */
export const systemRuntime: Runtime = {
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

/** Resolves after `ms`, or when `signal` fires. */
export function sleep(runtime: Runtime, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = (): void => {
      runtime.clearTimeout(timer);
      unfollow();
      resolve();
    };
    const timer = runtime.setTimeout(end, ms);
    const unfollow = onAbort(signal, end);
  });
}

/** Waits for `work`, but no longer than `ms`. Rejects as `work` does. */
export async function within(runtime: Runtime, ms: number, work: Promise<unknown>): Promise<"ended" | "late"> {
  let timer: Timer | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = runtime.setTimeout(() => resolve("late"), ms);
  });
  try {
    return await Promise.race([work.then(() => "ended" as const), late]);
  } finally {
    runtime.clearTimeout(timer);
  }
}

/** The result of `work`; rejects with what `late` makes when there is none after `ms`. */
export async function deadline<T>(runtime: Runtime, ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: Timer | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = runtime.setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    runtime.clearTimeout(timer);
  }
}
