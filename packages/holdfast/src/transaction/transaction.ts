/**
 * Optimistic transactions: read, decide, write, and all of it only if nothing watched has changed meanwhile (WATCH,
 * MULTI, EXEC). For what no script of this library does; one atomic command or script is cheaper where it fits.
 *
 * Promises: the queued commands are executed together or not at all, and never with one of them left out; a conflict runs
 * the function again, so it should have no effects of its own; when the connection dies after EXEC was sent the outcome is
 * reported as unknown, and nothing is repeated. While the server is away a transaction waits for it until its deadline.
 */
import type { Driver, Reply } from "../driver/port.ts";
import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { observed } from "../core/observe/observe.ts";
import { type Duration, type OptionNames, parseOptions, toTimerMs, wholeBetween } from "../base/options.ts";
import { Attempt, type Outcome, type Transaction } from "./attempt.ts";
import { Budget, OP } from "./budget.ts";

export interface TransactionOptions {
  /** How often the function is run on a conflict before that is given back. @default 10 */
  readonly attempts?: number;
  /** Deadline of all attempts together, with the waiting for a connection. @default the handle's `timeout` */
  readonly timeout?: Duration;
  /** Ends it; once EXEC was sent, with an OutcomeUnknownError. */
  readonly signal?: AbortSignal;
}

/**
 * `replies` has one for each queued command, in their order. A command that failed inside the transaction has its Error
 * there; the others have taken effect all the same, for the server rolls nothing back.
 */
export type TransactionResult<T> =
  | { status: "ok"; value: T; replies: Reply[] }
  | { status: "conflict"; attempts: number };

/** Called once per attempt. */
export type TransactionBody<T> = (tx: Transaction) => T | Promise<T>;

const NAMES: OptionNames<TransactionOptions> = { attempts: true, timeout: true, signal: true };

/** Full jitter under a ceiling that doubles with each conflict, so that those who collided do not meet again. */
const FIRST_BACKOFF_MS = 2;
const MAX_BACKOFF_MS = 100;
/** The waiting for a connection has its own back-off; this only keeps a quickly failing one from being a busy loop. */
const FAILURE_PAUSE_MS = 20;

export function runTransaction<T>(
  driver: Driver,
  keys: readonly string[],
  body: TransactionBody<T>,
  options?: TransactionOptions,
): Promise<TransactionResult<T>> {
  return observed(OP, keys?.[0], async () => {
    const { attempts, budget } = parseOptions(OP, options, NAMES, ({ attempts: most = 10, timeout, signal }) => {
      const first = checkKeys(keys);
      if (typeof body !== "function") throw new InvalidArgumentError("body", "a function", body);
      const timeoutMs = timeout === undefined ? driver.timeoutMs : toTimerMs("timeout", timeout);
      return {
        attempts: wholeBetween("attempts", most, 1, Number.MAX_SAFE_INTEGER),
        budget: new Budget(driver.runtime, first, timeoutMs, checkSignal(signal)),
      };
    });
    for (let conflicts = 0; ;) {
      const outcome = await runOnce(driver, keys, body, budget);
      if (outcome.status === "ok") return outcome;
      if (outcome.status === "undone") {
        await budget.pause(FAILURE_PAUSE_MS * (0.5 + driver.runtime.random()));
        continue;
      }
      conflicts += 1;
      if (conflicts === attempts) return { status: "conflict", attempts };
      await budget.pause(driver.runtime.random() * Math.min(FIRST_BACKOFF_MS * 2 ** conflicts, MAX_BACKOFF_MS));
    }
  });
}

async function runOnce<T>(
  driver: Driver,
  keys: readonly string[],
  body: TransactionBody<T>,
  budget: Budget,
): Promise<Outcome<T>> {
  const lease = await driver.lease(keys[0], budget.call("read"));
  try {
    // Not sooner: until there is a connection nobody knows whether there are slots.
    const slot = commonSlot(driver, keys);
    return await new Attempt(driver, lease, slot, budget).run(keys, body);
  } finally {
    // A connection that still watches or owes an answer is cleaned or destroyed by the pool.
    lease.release();
  }
}

function checkKeys(keys: readonly string[]): string {
  const names = Array.isArray(keys) && keys.every((key) => typeof key === "string" && key !== "");
  const first = names ? keys[0] : undefined;
  if (first === undefined) throw new InvalidArgumentError("keys", "an array with at least one key to watch", keys);
  return first;
}

function commonSlot(driver: Driver, keys: readonly string[]): number {
  const slot = driver.slotOf(keys[0]!);
  const stray = keys.find((key) => driver.slotOf(key) !== slot);
  if (stray === undefined) return slot;
  throw new InvalidArgumentError("keys", "keys in the same slot, as hf.key(group, name) makes for one group", stray);
}
