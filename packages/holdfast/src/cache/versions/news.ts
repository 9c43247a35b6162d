/** Which states of caches (versions.ts) have not changed since they were asked for: one subscription of the handle for all of them. */
import { ClosedError, isOutage } from "../../base/errors.ts";
import type { Core } from "../../core/core.ts";
import type { InvalidationSubscription } from "../../driver/port.ts";

const RETRY_MS = 1_000;
const all = new WeakMap<Core, News>();

/** One state, as far as the server has reported on it. */
export interface Followed {
  /** Rises with each change that is heard of, and with each loss of the connection. */
  changes: number;
  /** `changes` of the last question that was answered while the server said what changes; -1: none. */
  known: number;
  readonly onChange: (isReported: boolean) => void;
}

export class News {
  readonly #core: Core;
  readonly #states = new Map<string, Followed>();
  #asking: Promise<InvalidationSubscription> | undefined;
  #subscription: InvalidationSubscription | undefined;
  #askAt = 0;

  private constructor(core: Core) {
    this.#core = core;
  }

  static of(core: Core): News {
    let news = all.get(core);
    if (news === undefined) all.set(core, (news = new News(core)));
    return news;
  }

  /** @param onChange called when somebody else has changed it (reported), and when there may have been changes */
  follow(key: string, onChange: Followed["onChange"]): Followed {
    const state = { changes: 0, known: -1, onChange };
    this.#states.set(key, state);
    return state;
  }

  /** To be noted before the state is asked for; undefined while no server says what changes. */
  listen(state: Followed): number | undefined {
    if (this.#subscription === undefined) this.#ask();
    return this.#subscription?.isLive === true ? state.changes : undefined;
  }

  caughtUp(state: Followed, since: number | undefined): void {
    if (since !== undefined && this.#subscription!.isLive) state.known = since;
  }

  #ask(): void {
    const { driver, keys } = this.#core;
    if (this.#asking !== undefined || driver.runtime.now() < this.#askAt) return;
    this.#askAt = driver.runtime.now() + RETRY_MS;
    const listener = {
      keys: (changed: readonly Buffer[]) => {
        for (const key of changed) {
          const state = this.#states.get(key.toString());
          if (state === undefined) continue;
          state.changes += 1;
          state.onChange(true);
        }
      },
      flush: () => {
        for (const state of this.#states.values()) state.changes += 1;
      },
    };
    this.#asking = driver.onInvalidate(`${keys.prefix}:versions:`, listener, { op: "cache.versions", class: "read" });
    this.#asking.then(
      (subscription) => this.#hear(subscription),
      (error: unknown) => {
        this.#asking = undefined;
        // It will not be able to later either: each read asks for itself.
        if (!(error instanceof ClosedError || isOutage(error))) this.#askAt = Number.POSITIVE_INFINITY;
      },
    );
  }

  #hear(subscription: InvalidationSubscription): void {
    this.#subscription = subscription;
    for (const { onChange } of this.#states.values()) onChange(false);
  }
}
