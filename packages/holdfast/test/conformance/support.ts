/**
 * What the conformance suite is written against: a Driver over a transport. The suite says nothing of node-redis, so
 * that the next transport only has to be opened here.
 */
import { createHash, randomUUID } from "node:crypto";
import { createDriver, type ResilienceOptions } from "../../src/resilience/driver.ts";
import { openTransport } from "../../src/driver/node-redis/open.ts";
import type { ConnectionOptions } from "../../src/driver/node-redis/options.ts";
import type { Arg, Call, Driver, OpClass, Reply, ScriptSource, StateEvent } from "../../src/driver/port.ts";
import type { HoldfastError } from "../../src/errors.ts";

export interface OpenOptions extends ConnectionOptions {
  readonly resilience?: ResilienceOptions;
}

/** Closed by `await using`. */
export interface OpenDriver extends Driver, AsyncDisposable {}

export async function openDriver({ resilience = {}, ...connection }: OpenOptions): Promise<OpenDriver> {
  const driver = createDriver(await openTransport(connection), { timeout: "10s", ...resilience });
  return Object.assign(driver, { [Symbol.asyncDispose]: () => driver.close() });
}

export function call(kind: OpClass = "read", rest: Partial<Call> = {}): Call {
  return { op: "conformance", class: kind, ...rest };
}

/** A prefix of its own for each test; what begins with the same one is in one slot. */
export function slotPrefix(): string {
  return `{hf-test-${randomUUID()}}:`;
}

export function script(lua: string): ScriptSource {
  return { name: "conformance", lua, sha1: createHash("sha1").update(lua).digest("hex") };
}

export function send(
  driver: Driver,
  args: readonly Arg[],
  kind: OpClass = "read",
  rest: Partial<Call> = {},
): Promise<Reply> {
  return driver.send(args, call(kind, rest), args[1]);
}

/** What a promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<HoldfastError> {
  return promise.then(
    (value) => {
      throw new Error(`resolved with ${String(value)}`);
    },
    (error: HoldfastError) => error,
  );
}

/** Resolves with the first state event that `matches`. */
export function stateEvent(driver: Driver, matches: (event: StateEvent) => boolean): Promise<StateEvent> {
  return new Promise((resolve) => {
    const end = driver.onState((event) => {
      if (!matches(event)) return;
      end();
      resolve(event);
    });
  });
}

/** Collects what a listener is told, and lets a test wait for the next of it. */
export class Inbox<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();

  readonly put = (item: T): void => {
    this.all.push(item);
    for (const wake of this.#waiting) wake();
  };

  /** Resolves with the first item that matches, present or to come. */
  async find(matches: (item: T) => boolean = () => true): Promise<T> {
    for (;;) {
      const found = this.all.find(matches);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}
