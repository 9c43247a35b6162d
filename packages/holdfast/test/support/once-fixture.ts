/** Idempotency keys of two handles, with a name that no other test has, and what tests look at besides the public API. */
import { beforeEach } from "vitest";
import type { Holdfast, Idempotency, IdempotencyOptions } from "../../src/index.ts";
import type { Backend } from "./backends.ts";
import { randomName, TwoHandles } from "./two-handles.ts";
import { until } from "./until.ts";

/** A promise and the function that resolves it. */
export function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

export class OnceFixture {
  readonly two: TwoHandles;
  name = "";

  /** To be made in a `describe`. */
  constructor(backend: Backend) {
    this.two = new TwoHandles(backend);
    beforeEach(() => void (this.name = randomName()));
  }

  of<V = unknown>(hf: Holdfast, options?: IdempotencyOptions<V>): Idempotency<V> {
    return hf.idempotency<V>(this.name, options);
  }

  keyOf(key: string): string {
    return `${this.two.prefix}:idempotency:${this.name}:{${key}}`;
  }

  /** Resolves when somebody runs the key. */
  async isRunning(key: string): Promise<void> {
    await until("a run", async () => (await this.of(this.two.a).get(key))?.status === "running");
  }

  /** Resolves when somebody waits for the run of the key. */
  async isAwaited(key: string): Promise<void> {
    const record = async (): Promise<string> => String(await this.two.send("GET", this.keyOf(key)));
    await until("a waiter", async () => /^r\S+ \S+ \S+ \S+ 1 /.test(await record()));
  }
}
