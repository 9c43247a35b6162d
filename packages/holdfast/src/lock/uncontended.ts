/** Locks that nobody waits for: taking and giving back of the same tick, whichever locks they are of, is one script. */
import { Lane, type BatchKind } from "../core/batch/lane.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import { type BatchItem, runScript } from "../core/script/run.ts";
import type { Driver } from "../driver/port.ts";
import type { LockGrant, LockRequest } from "./grant.ts";
import { uncontended, type UncontendedArgs, type UncontendedKeys, type UncontendedResult } from "./scripts.gen.ts";

type Item = BatchItem<UncontendedKeys, UncontendedArgs>;

/** In one script: at most about half a millisecond of the server's time. */
const MAX_ITEMS = 64;
const ACQUIRE = "lock.acquire";
const RELEASE = "lock.release";

const isTaken = ({ item }: { readonly item: Item }): boolean => item.args.ttlMs > 0;

export class UncontendedLocks {
  readonly #driver: Driver;
  readonly #lane = new Lane();
  readonly #kind: BatchKind<Item, UncontendedResult>;

  constructor(driver: Driver) {
    this.#driver = driver;
    const kind = (op: string): BatchKind<Item, UncontendedResult> =>
      scriptKind<UncontendedKeys, UncontendedArgs, UncontendedResult, Item, UncontendedResult>(
        driver,
        uncontended,
        { op },
        orThrow,
      );
    const [taking, givingBack] = [kind(ACQUIRE), kind(RELEASE)];
    this.#kind = { maxItems: MAX_ITEMS, run: (group) => (group.some(isTaken) ? taking : givingBack).run(group) };
  }

  /** Takes the lock where it is free. `unclear`: more has to be looked at. */
  take(
    keys: UncontendedKeys,
    key: string,
    { token, ttlMs }: LockRequest,
    call: AttemptCall,
  ): Promise<UncontendedResult> {
    return this.#run({ keys, args: { text: token, ttlMs }, key }, ACQUIRE, call);
  }

  /** Gives back what was granted. `unclear`: more has to be looked at. @param onRepeat an attempt that may have been executed was lost */
  giveBack(
    keys: UncontendedKeys,
    key: string,
    { token, ttlMs }: LockRequest,
    { fence }: LockGrant,
    call: { readonly timeoutMs: number; readonly onRepeat: () => void },
  ): Promise<UncontendedResult> {
    const args = { text: `${token} ${fence} ${ttlMs}`, ttlMs: 0 };
    const onRepeat = (): UncontendedArgs => {
      call.onRepeat();
      return args;
    };
    return this.#run({ keys, args, key, onRepeat }, RELEASE, call);
  }

  /** Calls with a deadline or a signal of their own are sent alone. */
  #run(item: Item, op: string, { timeoutMs, signal }: AttemptCall): Promise<UncontendedResult> {
    const { keys, args, key, onRepeat } = item;
    const slot = this.#driver.slotOf(keys.lock);
    if (signal === undefined && timeoutMs === this.#driver.timeoutMs) return this.#lane.add(this.#kind, slot, item);
    this.#lane.flush(slot);
    return runScript(this.#driver, uncontended, keys, args, { op, key, timeoutMs, signal }, onRepeat);
  }
}
