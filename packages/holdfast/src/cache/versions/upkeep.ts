/** That the state of a cache (versions.ts) outlives what depends on it. */
import type { Core } from "../../core/core.ts";

/** How long the state outlives its last use: longer than any entry that is worth keeping. Each process says every hour that it uses it. */
export const KEEP_MS: number = 90 * 24 * 3_600_000;
const TOUCH_MS = 3_600_000;
const TIMEOUT_MS = 1_000;

export class Upkeep {
  readonly #core: Core;
  /** The keys that there are. */
  readonly #keys: () => readonly string[];
  #touchedAt = Number.NEGATIVE_INFINITY;
  #isForEver = false;

  constructor(core: Core, keys: () => readonly string[]) {
    this.#core = core;
    this.#keys = keys;
  }

  /** Entries without an end are stored: the state that they need must not end either. */
  keepForEver(): void {
    if (!this.#isForEver) this.#touchedAt = Number.NEGATIVE_INFINITY;
    this.#isForEver = true;
    this.touch();
  }

  /** Not waited for: there are three months for it. */
  touch(): void {
    const { driver } = this.#core;
    const now = driver.runtime.now();
    if (now - this.#touchedAt < TOUCH_MS) return;
    this.#touchedAt = now;
    const call = { op: "cache.versions", class: "idempotent", timeoutMs: TIMEOUT_MS } as const;
    for (const key of this.#keys()) {
      const args = this.#isForEver ? (["PERSIST", key] as const) : (["PEXPIRE", key, String(KEEP_MS), "XX"] as const);
      driver.send(args, call, key).catch(() => undefined);
    }
  }
}
