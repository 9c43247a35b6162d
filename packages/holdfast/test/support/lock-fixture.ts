/** Two handles with one prefix, and what tests of locks look at besides the public API. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { connect } from "../../src/connect.ts";
import type { Holdfast } from "../../src/holdfast.ts";
import type { HeldLock } from "../../src/lock/held-lock.ts";
import type { LockOptions } from "../../src/lock/options.ts";
import type { Backend } from "./backends.ts";
import { until } from "./until.ts";

type Six = [string, string, string, string, string, string];

export type LockKey = "lock" | "fence" | "holds" | "ended" | "queue" | "alive" | "broken";

export function freshName(): string {
  return `lock-${randomUUID()}`;
}

/** The lock, which must be free now. */
export async function taken(of: Holdfast, name: string, options?: LockOptions): Promise<HeldLock> {
  const result = await of.lock(name, options).tryAcquire();
  if (result.status === "busy") throw new Error(`${name} is busy`);
  return result.lock;
}

/** The reason of the lock's signal, once it aborts. */
export function lossOf(held: { readonly signal: AbortSignal }): Promise<unknown> {
  return new Promise((resolve) => held.signal.addEventListener("abort", () => resolve(held.signal.reason)));
}

/** Resolves when so many requests wait for the lock. */
export async function waitersOf(of: Holdfast, name: string, count: number): Promise<void> {
  await until(`${count} waiters`, async () => (await of.lock(name).info())?.waiters === count);
}

export class LockFixture {
  readonly prefix: string = `test-${randomUUID()}`;
  hf!: Holdfast;
  other!: Holdfast;
  readonly #backend: Backend;

  /** To be made in a `describe`: it opens its handles before the tests and closes them after. */
  constructor(backend: Backend) {
    this.#backend = backend;
    beforeAll(async () => {
      [this.hf, this.other] = await Promise.all([this.open(), this.open()]);
    });
    afterAll(async () => {
      await Promise.all([this.hf?.close(), this.other?.close()]);
    });
  }

  open(): Promise<Holdfast> {
    return connect(this.#backend.url, { ...this.#backend.options, prefix: this.prefix });
  }

  keysOf(name: string): Record<LockKey, string> {
    const lock = `${this.prefix}:lock:{${name}}`;
    const part = (name: string): string => `${lock}:${name}`;
    const parts = ["fence", "holds", "ended", "queue", "alive", "broken"].map(part) as Six;
    const [fence, holds, ended, queue, alive, broken] = parts;
    return { lock, fence, holds, ended, queue, alive, broken };
  }

  /** A command about its first key. */
  async send(...args: string[]): Promise<unknown> {
    return this.hf.driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  }
}
