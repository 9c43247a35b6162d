/** The calls that one handle makes for its semaphores: acquires and releases of the same tick are merged, whichever semaphores of a slot they are of. */
import { onAbort } from "../base/abort.ts";
import { AbortedError } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import { Lane } from "../core/batch/lane.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import { type BatchItem, runScript } from "../core/script/run.ts";
import {
  acquire,
  type AcquireArgs,
  type AcquireKeys,
  type AcquireResult,
  release,
  type ReleaseArgs,
  type ReleaseKeys,
  type ReleaseResult,
} from "./scripts.gen.ts";

const calls = new WeakMap<Core, SemaphoreCalls>();

export class SemaphoreCalls {
  readonly #core: Core;
  readonly #lane = new Lane();
  readonly #acquires;
  readonly #releases;

  private constructor(core: Core) {
    this.#core = core;
    const { driver } = core;
    this.#acquires = scriptKind<
      AcquireKeys,
      AcquireArgs,
      AcquireResult,
      BatchItem<AcquireKeys, AcquireArgs>,
      AcquireResult
    >(driver, acquire, { op: "semaphore.acquire" }, orThrow);
    this.#releases = scriptKind<
      ReleaseKeys,
      ReleaseArgs,
      ReleaseResult,
      BatchItem<ReleaseKeys, ReleaseArgs>,
      ReleaseResult
    >(driver, release, { op: "semaphore.release" }, orThrow);
  }

  /** Those of the handle. */
  static of(core: Core): SemaphoreCalls {
    let those = calls.get(core);
    if (those === undefined) calls.set(core, (those = new SemaphoreCalls(core)));
    return those;
  }

  /** Merged where its deadline is the handle's own. */
  acquire(key: string, keys: AcquireKeys, args: AcquireArgs, call: AttemptCall): Promise<AcquireResult> {
    const { driver } = this.#core;
    if (call.timeoutMs !== driver.timeoutMs) {
      this.flush(keys.permits);
      return runScript(driver, acquire, keys, args, { op: "semaphore.acquire", key, ...call });
    }
    const result = this.#lane.add(this.#acquires, driver.slotOf(keys.permits), { keys, args, key });
    return call.signal === undefined ? result : untilAborted(result, call.signal);
  }

  /** @param onRepeat called before it is sent again because its answer was lost */
  release(
    key: string,
    keys: ReleaseKeys,
    args: ReleaseArgs,
    timeoutMs: number,
    onRepeat: () => void,
  ): Promise<ReleaseResult> {
    const { driver } = this.#core;
    const again = (): ReleaseArgs => {
      onRepeat();
      return args;
    };
    if (timeoutMs !== driver.timeoutMs) {
      this.flush(keys.permits);
      return runScript(driver, release, keys, args, { op: "semaphore.release", key, timeoutMs }, again);
    }
    return this.#lane.add(this.#releases, driver.slotOf(keys.permits), { keys, args, key, onRepeat: again });
  }

  /** Sends what is collected: a caller does so before it sends something that is not merged. */
  flush(key: AcquireKeys["permits"]): void {
    this.#lane.flush(this.#core.driver.slotOf(key));
  }
}

/** A merged call cannot be called off for one of its items: only its caller waits no longer. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const unfollow = onAbort(signal, () => reject(new AbortedError("the waiting was ended by its signal")));
    work.then(resolve, reject).finally(unfollow);
  });
}
