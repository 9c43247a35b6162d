/**
 * What one process does for a shared subscription: claims from the partitions that may have something, keeps a few messages ready,
 * runs handlers, and settles what has ended.
 *
 * Nothing polls: a partition is asked when the feed has brought something, when something is due again, and once a `poll` for what
 * no message tells, such as a consumer that died.
 */
import { Deferred } from "../../base/deferred.ts";
import { HoldfastError } from "../../base/errors.ts";
import { type Runtime, type Timer, within } from "../../base/runtime.ts";
import { Pause } from "../../core/retry/pause.ts";
import { mayPass, warnUnlessOutage } from "../patience.ts";
import type { Delivery } from "./delivery.ts";
import type { SharedPartition } from "./partition.ts";
import { Prefetch } from "./prefetch.ts";

export type DeadReason = "exhausted" | "rejected" | "undecodable";

/** How a delivery ends. `release`: later, and this delivery does not count. */
export type Outcome =
  | { readonly verb: "ack"; readonly isSkipped: boolean }
  | { readonly verb: "due" | "release"; readonly ms: number }
  | { readonly verb: "dead"; readonly reason: DeadReason; readonly error: unknown };

/** A delivery and where it comes from. */
export interface Held {
  readonly delivery: Delivery;
  readonly from: SharedPartition;
}

export interface ConsumerParts {
  readonly runtime: Runtime;
  readonly partitions: readonly SharedPartition[];
  /** Calls of the handler at once, and how many messages one is given at most. */
  readonly concurrency: number;
  readonly size: number;
  readonly lingerMs: number;
  readonly prefetch: number;
  /** What ends without a handler: its outcome. */
  readonly admit: (held: Held) => Outcome | undefined;
  /** An outcome for each; never rejects. */
  readonly perform: (group: readonly Held[]) => Promise<readonly Outcome[]>;
  /** Makes a dead letter of it. @returns whether it was still this process's */
  readonly bury: (held: Held, outcome: Extract<Outcome, { verb: "dead" }>) => Promise<boolean>;
  /** Its delivery is over; `isValid`: and counts. */
  readonly onEnd: (outcome: Outcome, isValid: boolean) => void;
}

/** One call holds the server for about 300 microseconds with as many. */
const MAX_CLAIMED = 500;

export class SharedConsumer {
  readonly #parts: ConsumerParts;
  readonly #prefetch: Prefetch;
  /** Nothing more is claimed. */
  readonly #closing = new AbortController();
  /** Nothing is tried again. */
  readonly #stop = new AbortController();
  /** Claimed and not begun. */
  #ready: Held[] = [];
  #begun = 0;
  #calls = 0;
  #claims = 0;
  #burials = 0;
  /** Of all that is claimed and not settled. */
  #held = 0;
  /** That claims under way may bring. */
  #asked = 0;
  #turn = 0;
  #isPaused = false;
  #linger: Timer | undefined;
  #isLate = false;
  #idle: Deferred<void> | undefined;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    this.#prefetch = new Prefetch(parts.concurrency * parts.size, parts.prefetch);
  }

  /** Messages that handlers have at the moment. */
  get running(): number {
    return this.#calls;
  }

  /** Claims where there may be something, if there is room for it. */
  fill(): void {
    if (this.#isPaused || this.#isClosing) return;
    const { limit } = this.#prefetch;
    let room = limit - this.#held - this.#asked;
    // Not one by one: a quarter at a time, while handlers have something to do.
    if (room <= 0 || (room * 4 < limit && this.#waiting > 0)) return;
    const { partitions } = this.#parts;
    const hungry = partitions.filter(({ isHungry, isClaiming }) => isHungry && !isClaiming);
    if (hungry.length === 0) return;
    this.#turn += 1;
    for (let at = 0; at < hungry.length && room > 0; at += 1) {
      const count = Math.min(Math.ceil(room / (hungry.length - at)), MAX_CLAIMED);
      room -= count;
      void this.#claim(hungry[(this.#turn + at) % hungry.length]!, count);
    }
  }

  /** Begins nothing more, and leaves what has not begun to others; resolves when nothing runs. */
  pause(): Promise<void> {
    this.#isPaused = true;
    this.#giveBack();
    return this.#untilIdle();
  }

  resume(): void {
    this.#isPaused = false;
    for (const partition of this.#parts.partitions) partition.isHungry = true;
    this.fill();
  }

  /** Gives back what has not begun, and waits for what runs, at most for `drainMs`. What a claim under way brings is given back too. */
  async close(drainMs: number): Promise<void> {
    this.#closing.abort();
    this.#parts.runtime.clearTimeout(this.#linger);
    this.#giveBack();
    await within(this.#parts.runtime, drainMs, this.#untilIdle());
    this.#stop.abort();
  }

  get #waiting(): number {
    return this.#ready.length - this.#begun;
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  #giveBack(): void {
    const rest = this.#ready.slice(this.#begun);
    this.#ready = [];
    this.#begun = 0;
    for (const { delivery, from } of rest) from.settle(delivery, "release", 0, () => (this.#held -= 1));
  }

  async #claim(partition: SharedPartition, count: number): Promise<void> {
    partition.isClaiming = true;
    this.#asked += count;
    this.#claims += 1;
    const pause = new Pause(this.#parts.runtime, this.#closing.signal);
    let deliveries: Delivery[] = [];
    for (;;) {
      try {
        deliveries = await partition.claim(count);
        break;
      } catch (error) {
        if (this.#isClosing || isClosed(error)) break;
        if (!mayPass(error)) warnUnlessOutage(error);
        await pause.next();
        if (this.#isPaused || this.#isClosing) break;
      }
    }
    this.#asked -= count;
    partition.isClaiming = false;
    this.#held += deliveries.length;
    if (deliveries.length === count && this.#waiting === 0) this.#prefetch.starved();
    for (const delivery of deliveries) this.#admit({ delivery, from: partition });
    this.#claims -= 1;
    this.#start();
    this.fill();
    this.#checkIdle();
  }

  #admit(held: Held): void {
    if (this.#isPaused || this.#isClosing) return this.#end(held, { verb: "release", ms: 0 });
    const outcome = this.#parts.admit(held);
    if (outcome === undefined) this.#ready.push(held);
    else this.#end(held, outcome);
  }

  #start(): void {
    const { concurrency, size } = this.#parts;
    if (this.#isPaused || this.#isClosing) return;
    while (this.#calls < concurrency && this.#waiting > 0) {
      if (this.#lingers()) return;
      const group = size === 1 ? this.#next(1) : this.#next(size);
      if (group.length > 0) void this.#run(group);
    }
  }

  /** Whether a call that is not full waits for more. */
  #lingers(): boolean {
    const { size, lingerMs, runtime } = this.#parts;
    if (lingerMs === 0 || this.#waiting >= size || this.#isLate) {
      runtime.clearTimeout(this.#linger);
      this.#linger = undefined;
      this.#isLate = false;
      return false;
    }
    this.#linger ??= runtime.setTimeout(() => {
      this.#isLate = true;
      this.#start();
    }, lingerMs);
    return true;
  }

  /** Those that may begin, of the next few. */
  #next(size: number): Held[] {
    const group: Held[] = [];
    while (group.length < size && this.#waiting > 0) {
      const held = this.#ready[this.#begun]!;
      this.#begun += 1;
      if (held.from.begin(held.delivery)) group.push(held);
      else this.#held -= 1;
    }
    if (this.#begun === this.#ready.length || this.#begun >= MAX_CLAIMED) {
      this.#ready = this.#ready.slice(this.#begun);
      this.#begun = 0;
    }
    if (group.length > 0) {
      const now = this.#parts.runtime.now();
      this.#prefetch.waited(now - group[0]!.delivery.claimedAt, now);
    }
    return group;
  }

  async #run(group: readonly Held[]): Promise<void> {
    this.#calls += 1;
    const outcomes = await this.#parts.perform(group);
    this.#calls -= 1;
    for (let at = 0; at < group.length; at += 1) this.#end(group[at]!, outcomes[at]!);
    this.#start();
    this.fill();
    this.#checkIdle();
  }

  #end(held: Held, outcome: Outcome): void {
    const { delivery, from } = held;
    const done = (isValid: boolean): void => {
      this.#held -= 1;
      this.#parts.onEnd(outcome, isValid);
      this.fill();
    };
    if (outcome.verb === "dead") void this.#bury(held, outcome, done);
    else from.settle(delivery, outcome.verb, outcome.verb === "ack" ? 0 : outcome.ms, done);
  }

  /** Goes on as long as it is this process's: until then nobody else has it. */
  async #bury(
    held: Held,
    outcome: Extract<Outcome, { verb: "dead" }>,
    done: (isValid: boolean) => void,
  ): Promise<void> {
    const { delivery, from } = held;
    const pause = new Pause(this.#parts.runtime, this.#stop.signal);
    let isBuried = false;
    this.#burials += 1;
    // Kept like one that runs.
    if (delivery.state === "waits") delivery.state = "runs";
    while (delivery.state !== "lost" && !this.#stop.signal.aborted) {
      try {
        isBuried = await this.#parts.bury(held, outcome);
        break;
      } catch (error) {
        if (isClosed(error)) break;
        warnUnlessOutage(error);
        await pause.next();
      }
    }
    from.forget(delivery);
    this.#burials -= 1;
    done(isBuried);
    this.#checkIdle();
  }

  #untilIdle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    this.#idle ??= new Deferred();
    return this.#idle.promise;
  }

  get #isIdle(): boolean {
    return this.#calls + this.#burials === 0 && (this.#claims === 0 || !this.#isClosing);
  }

  #checkIdle(): void {
    if (!this.#isIdle) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === "CLOSED";
}
