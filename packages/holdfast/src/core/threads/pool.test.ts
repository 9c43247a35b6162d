// What could go wrong, and the test for each:
// - a call cannot be stopped ................................ "aborts the call's signal in the thread", "ends the thread of a handler that does not stop"
// - a call that waits for a thread waits for ever ........... "close ends the calls that wait for a thread", "a call that is called off ..."
// - an argument is lost, or the signal is not in the last ... "calls the handler with all of its arguments"
import { expect, it } from "vitest";
import { systemRuntime } from "../../base/runtime.ts";
import { rebuilt, ThreadPool } from "./pool.ts";

function poolOf(body: string, graceMs: number): ThreadPool {
  const url = new URL(`data:text/javascript,${encodeURIComponent(body)}`);
  const closed = (): Error => new Error("the pool is closed");
  return new ThreadPool({ runtime: systemRuntime, url, threads: 1, graceMs, closed, errorOf: rebuilt });
}

const never = (): AbortSignal => new AbortController().signal;

it("calls the handler with all of its arguments", async () => {
  const pool = poolOf("export default (a, { b, signal }) => [a, b, signal.aborted];", 60_000);
  await expect(pool.run(["x", { b: 1 }], never())).resolves.toEqual(["x", 1, false]);
  await pool.close();
});

it("aborts the call's signal in the thread", async () => {
  const pool = poolOf(
    "export default ({ signal }) => signal.aborted ? signal.reason.message : new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason.message)));",
    60_000,
  );
  const controller = new AbortController();
  const ended = pool.run([{}], controller.signal);
  // By then it has its thread.
  await new Promise(setImmediate);
  controller.abort(new Error("enough"));
  await expect(ended).resolves.toBe("enough");
  await pool.close();
});

it("ends the thread of a handler that does not stop, and goes on with another", async () => {
  const pool = poolOf("export default ({ payload }) => { while (payload === 1); return payload; };", 50);
  const controller = new AbortController();
  const ended = pool.run([{ payload: 1 }], controller.signal);
  const next = pool.run([{ payload: 2 }], never());
  controller.abort(new Error("enough"));
  await expect(ended).rejects.toThrow("enough");
  await expect(next).resolves.toBe(2);
  await pool.close();
});

it("close ends the calls that wait for a thread, and refuses what comes after", async () => {
  const pool = poolOf("export default () => { for (;;); };", 60_000);
  const ended = Promise.allSettled([1, 2, 3].map(() => pool.run([{}], never())));
  // By then the first has its thread, and the others wait.
  await new Promise(setImmediate);
  await pool.close();
  const failures = (await ended).map((each) => (each as PromiseRejectedResult).reason.message);
  expect(failures).toEqual([expect.stringContaining("the thread"), "the pool is closed", "the pool is closed"]);
  await expect(pool.run([{}], never())).rejects.toThrow("the pool is closed");
});

it("a call that is called off before it has a thread ends at once, and the next one gets the thread", async () => {
  const pool = poolOf(
    "export default ({ payload, signal }) => payload === 1 ? new Promise((resolve) => signal.addEventListener('abort', resolve)) : payload;",
    60_000,
  );
  const [first, second] = [new AbortController(), new AbortController()];
  const held = pool.run([{ payload: 1 }], first.signal);
  const calledOff = pool.run([{ payload: 2 }], second.signal);
  const next = pool.run([{ payload: 3 }], never());
  await new Promise(setImmediate);
  second.abort(new Error("enough"));
  await expect(calledOff).rejects.toThrow("enough");
  first.abort(new Error("done"));
  await held;
  await expect(next).resolves.toBe(3);
  await pool.close();
});
