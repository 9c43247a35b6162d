/**
 * Feature flags: asked a thousand times per request at no cost, changed for the whole fleet within milliseconds. While the server
 * is away every process goes on with the flags that it knows, and can say that they may be old.
 */
import type { Holdfast, Value } from "holdfast";

export interface Flags {
  readonly newCheckout: boolean;
  /** Per cent of the users that see it. */
  readonly darkMode: number;
}

export function flagsValue(hf: Holdfast): Value<Flags> {
  return hf.value<Flags>("flags", { initial: { newCheckout: false, darkMode: 0 } });
}

/** At the start of a process: resolves once the flags are known, or that they cannot be. */
export class FeatureFlags implements AsyncDisposable {
  #flags!: Flags;
  #stale = true;
  readonly #stop = new AbortController();
  #ended!: Promise<void>;
  readonly #ready: Promise<void>;

  private constructor(value: Value<Flags>) {
    this.#ready = new Promise((resolve) => {
      this.#ended = this.#follow(value, resolve);
    });
  }

  static async start(value: Value<Flags>): Promise<FeatureFlags> {
    const flags = new FeatureFlags(value);
    await Promise.race([flags.#ready, flags.#ended]);
    return flags;
  }

  get<Name extends keyof Flags>(name: Name): Flags[Name] {
    return this.#flags[name];
  }

  /** For a health check: whether somebody may have changed a flag of which this process does not know. */
  get stale(): boolean {
    return this.#stale;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #follow(value: Value<Flags>, ready: () => void): Promise<void> {
    for await (const state of value.watch({ signal: this.#stop.signal })) {
      // With an initial value there always is one.
      this.#flags = state.value!;
      this.#stale = state.stale;
      ready();
    }
  }
}

/** For the administration: two who change different flags at one time do not undo each other. */
export async function setFlag<Name extends keyof Flags>(
  value: Value<Flags>,
  name: Name,
  to: Flags[Name],
): Promise<void> {
  const result = await value.update((flags) => ({ ...flags, [name]: to }));
  if (result.status !== "ok") throw new Error(`${name} was not changed, too many others change flags: try again`);
}
