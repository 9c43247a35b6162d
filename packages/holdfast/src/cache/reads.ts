/** How the server is asked for an entry: by a GET of its own, or by an MGET with others of the same tick and slot. */
import { HoldfastError } from "../base/errors.ts";
import type { BatchKind, Lane } from "../core/batch/lane.ts";
import { readKind } from "../core/batch/read-kind.ts";
import type { Call, Driver, Reply } from "../driver/port.ts";
import type { CacheSettings } from "./options.ts";
import type { CacheRead } from "./read.ts";

const OP_GET = "cache.get";

/** Makes the caller's answer of what came back from its read. */
export type Answer = (outcome: Reply | HoldfastError, read: CacheRead) => unknown;

export class Reads {
  readonly #driver: Driver;
  /** Of all that is sent about entries, so that its order is kept. */
  readonly #lane: Lane;
  readonly #timeoutMs: number;
  /** Of reads that can go on without the server. */
  readonly #loadPatienceMs: number | undefined;
  readonly #answer: Answer;
  readonly #merged: BatchKind<CacheRead, unknown>;
  /** The last reads of the lane had nothing to share a command with. */
  #quiet = true;
  #aloneUnderWay = false;

  constructor(driver: Driver, lane: Lane, { timeoutMs, onOutage }: CacheSettings, answer: Answer) {
    this.#driver = driver;
    this.#lane = lane;
    this.#timeoutMs = timeoutMs;
    this.#answer = answer;
    const patienceMs = onOutage === "load" ? timeoutMs : undefined;
    this.#loadPatienceMs = patienceMs;
    const plain = readKind(driver, { op: OP_GET, class: "read", timeoutMs }, answer);
    const loading = readKind(driver, { op: OP_GET, class: "read", timeoutMs, patienceMs }, answer);
    const run: typeof plain.run = (group) => {
      this.#quiet = group.length === 1;
      (group.every(({ item }) => item.load !== undefined) ? loading : plain).run(group);
    };
    this.#merged = { maxItems: plain.maxItems, run };
  }

  /**
   * One GET; those of the same tick and slot together one MGET. A read that finds the cache quiet is sent at once: to wait
   * for others to share its command would cost it more than it can save.
   */
  one(read: CacheRead): Promise<unknown> {
    if (!this.#quiet || this.#aloneUnderWay || !this.#lane.isEmpty) return this.merged(read);
    this.#aloneUnderWay = true;
    return this.#ask(read, this.#timeoutMs);
  }

  /** As `one`, for a read that waits for so long only, and so shares no command. */
  oneWithin(read: CacheRead, timeoutMs: number): Promise<unknown> {
    this.#lane.flush(this.#driver.slotOf(read.key));
    return this.#ask(read, timeoutMs);
  }

  /** As `one`, for a read that is known to have company. */
  merged(read: CacheRead): Promise<unknown> {
    return this.#lane.add(this.#merged, this.#driver.slotOf(read.key), read);
  }

  #ask(read: CacheRead, timeoutMs: number): Promise<unknown> {
    const { id, key, load } = read;
    const patienceMs = load === undefined ? undefined : this.#loadPatienceMs;
    // Written out: a spread here cost a fifth of the whole call.
    const call: Call = { op: OP_GET, class: "read", key: String(id), timeoutMs, patienceMs };
    return this.#driver.ask(["GET", key], call, key, (outcome) => this.#conclude(outcome, read));
  }

  #conclude(outcome: Reply | HoldfastError, read: CacheRead): unknown {
    this.#aloneUnderWay = false;
    const isForeign = outcome instanceof HoldfastError && outcome.code === "WRONG_TYPE";
    return this.#answer(isForeign ? null : outcome, read);
  }
}
