/**
 * What the conformance suite is written against: a Driver over a transport. The suite says nothing of node-redis, so
 * that the next transport only has to be opened here.
 *
 * The transport that calls an embedded server in this process runs what is written for `targets()`. The faults suites need
 * a process to kill or a socket to cut, which it has not: its own faults are tested with `holdfast/testing`.
 */
import { createHash, randomUUID } from "node:crypto";
import { createDriver, type ResilienceOptions } from "../../src/driver/resilience/driver.ts";
import { openEmbedded } from "../../src/driver/embedded/open.ts";
import { isEmbeddedUrl } from "../../src/driver/embedded/url.ts";
import { openTransport } from "../../src/driver/node-redis/open.ts";
import type { ConnectionOptions } from "../../src/driver/connection/options.ts";
import type { Arg, Call, Driver, OpClass, Reply, ScriptSource, StateEvent } from "../../src/driver/port.ts";
import type { HoldfastError } from "../../src/base/errors.ts";
import { type Backend, backends } from "../support/backends.ts";

export interface Target extends Backend {
  readonly transport: "node-redis" | "in process";
}

/** Every shared server, and where the embedded one is among them, also the one of this process. */
export function targets(): Target[] {
  const overSockets = backends().map((backend): Target => ({ ...backend, transport: "node-redis" }));
  const inProcess: Target = { name: "embedded", url: "embedded://", options: {}, transport: "in process" };
  return backends("embedded").length === 0 ? overSockets : [...overSockets, inProcess];
}

export interface OpenOptions extends ConnectionOptions {
  readonly resilience?: ResilienceOptions;
}

/** Closed by `await using`. */
export interface OpenDriver extends Driver, AsyncDisposable {}

export async function openDriver({ resilience = {}, ...connection }: OpenOptions): Promise<OpenDriver> {
  const { url } = connection;
  const opening =
    url !== undefined && isEmbeddedUrl(url) ? openEmbedded({ ...connection, url }) : openTransport(connection);
  const driver = createDriver(await opening, { timeout: "10s", ...resilience });
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
export function stateEvent(
  driver: Pick<Driver, "onState">,
  matches: (event: StateEvent) => boolean,
): Promise<StateEvent> {
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
