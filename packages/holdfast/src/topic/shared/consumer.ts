/**
 * What one process does for a shared subscription: claims from the partitions that may have something, keeps a few messages ready,
 * runs handlers, and settles what has ended.
 *
 * Nothing polls: a partition is asked when the feed has brought something, when something is due again, and once a `poll` for what
 * no message tells, such as a consumer that died.
 */
import { Deferred } from "../../base/deferred.ts";
import { isThenable } from "../../base/door.ts";
import { HoldfastError } from "../../base/errors.ts";
import { type Runtime, type Timer, within } from "../../base/runtime.ts";
import { Pause } from "../../core/retry/pause.ts";
import { Pace, type PaceSettings } from "../pace.ts";
import { mayPass, warnUnlessOutage } from "../patience.ts";
import type { Delivery, Outcome } from "./delivery.ts";
import type { SharedPartition } from "./partition.ts";
import { Prefetch } from "./prefetch.ts";

export interface ConsumerParts {
  readonly runtime: Runtime;
  readonly partitions: readonly SharedPartition[];
  /** Calls of the handler at once, and how many messages one is given at most. */
  readonly concurrency: number;
  readonly size: number;
  readonly rate: PaceSettings | undefined;
  /** Of one message each, or of several. */
  readonly calls: "one" | "many";
  readonly lingerMs: number;
  readonly prefetch: number;
  /** How long a message is this process's without a handler. */
  readonly visibilityMs: number;
  /** What ends without a handler: its outcome. */
  readonly admit: (delivery: Delivery) => Outcome | undefined;
  /** Of a call for one message; never rejects. */
  readonly performOne: (delivery: Delivery) => Outcome | Promise<Outcome>;
  /** An outcome for each; never rejects. */
  readonly performMany: (group: readonly Delivery[]) => Promise<readonly Outcome[]>;
  /** Makes a dead letter of it. @returns whether it was still this process's */
  readonly bury: (delivery: Delivery, outcome: Extract<Outcome, { verb: "dead" }>) => Promise<boolean>;
  /** Its delivery is over; `isValid`: and counts. */
  readonly onEnd: (outcome: Outcome, isValid: boolean) => void;
}

const RELEASE: Outcome = { verb: "release", ms: 0 };
/** One call holds the server for about 300 microseconds with as many. */
const MAX_CLAIMED = 500;

export class SharedConsumer {
  readonly #parts: ConsumerParts;
  readonly #prefetch: Prefetch;
  readonly #pace: Pace | undefined;
  /** Nothing more is claimed. */
  readonly #closing = new AbortController();
  /** Nothing is tried again. */
  readonly #stop = new AbortController();
  /** Claimed and not begun. */
  #ready: Delivery[] = [];
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
    if (parts.rate !== undefined) this.#pace = new Pace(parts.runtime, parts.rate, () => this.#goOn());
  }

  /** Messages that handlers have at the moment. */
  get running(): number {
    return this.#calls;
  }

  /** Claims where there may be something, if there is room for it. */
  fill(): void {
    if (this.#isPaused || this.#isClosing) return;
    const { limit } = this.#prefetch;
    let room = Math.min(limit - this.#held - this.#asked, this.#soon - this.#waiting - this.#asked);
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
    this.#pace?.close();
    this.#giveBack();
    await within(this.#parts.runtime, drainMs, this.#untilIdle());
    this.#stop.abort();
  }

  get #waiting(): number {
    return this.#ready.length - this.#begun;
  }

  /** How many handlers may begin while what they are given is still this process's. */
  get #soon(): number {
    if (this.#pace === undefined) return Infinity;
    const soonMs = this.#parts.visibilityMs / 4;
    return this.#pace.waitMs > soonMs ? 0 : this.#pace.within(soonMs);
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  #giveBack(): void {
    const rest = this.#ready.slice(this.#begun);
    this.#ready = [];
    this.#begun = 0;
    for (const delivery of rest) delivery.from.settle(delivery, "release", 0, this.#gaveBack);
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
    for (const delivery of deliveries) this.#admit(delivery);
    this.#claims -= 1;
    this.#goOn();
  }

  #admit(delivery: Delivery): void {
    if (this.#isPaused || this.#isClosing) return this.#end(delivery, RELEASE);
    const outcome = this.#parts.admit(delivery);
    if (outcome === undefined) this.#ready.push(delivery);
    else this.#end(delivery, outcome);
  }

  #start(): void {
    const { concurrency, size, calls } = this.#parts;
    // Also a handler may pause or close.
    while (this.#calls < concurrency && this.#waiting > 0 && !this.#isPaused && !this.#isClosing) {
      const most = Math.min(size, this.#pace?.free ?? Infinity);
      if (most === 0 || this.#lingers()) return;
      if (calls === "one") this.#runOne();
      else void this.#runMany(this.#next(most));
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
  #next(most: number): Delivery[] {
    const group: Delivery[] = [];
    while (group.length < most && this.#waiting > 0) {
      const delivery = this.#nextOne();
      if (delivery !== undefined) group.push(delivery);
    }
    return group;
  }

  /** The next one; undefined where that may not begin any more. */
  #nextOne(): Delivery | undefined {
    const delivery = this.#ready[this.#begun]!;
    this.#begun += 1;
    if (this.#begun === this.#ready.length || this.#begun >= MAX_CLAIMED) {
      this.#ready = this.#ready.slice(this.#begun);
      this.#begun = 0;
    }
    const now = this.#parts.runtime.now();
    if (delivery.from.begin(delivery, now)) {
      this.#pace?.begin(1);
      this.#prefetch.waited(now - delivery.claimedAt, now);
      return delivery;
    }
    this.#held -= 1;
    return undefined;
  }

  /** A handler that returns at once has no promise to wait for. */
  #runOne(): void {
    const delivery = this.#nextOne();
    if (delivery === undefined) return;
    this.#calls += 1;
    const outcome = this.#parts.performOne(delivery);
    if (isThenable(outcome)) {
      void outcome.then((later) => this.#ran(delivery, later));
      return;
    }
    this.#calls -= 1;
    this.#end(delivery, outcome);
  }

  #ran(delivery: Delivery, outcome: Outcome): void {
    this.#calls -= 1;
    this.#end(delivery, outcome);
    this.#goOn();
  }

  async #runMany(group: readonly Delivery[]): Promise<void> {
    if (group.length === 0) return;
    this.#calls += 1;
    const outcomes = await this.#parts.performMany(group);
    this.#calls -= 1;
    for (let at = 0; at < group.length; at += 1) this.#end(group[at]!, outcomes[at]!);
    this.#goOn();
  }

  #goOn(): void {
    this.#start();
    this.fill();
    this.#checkIdle();
  }

  #end(delivery: Delivery, outcome: Outcome): void {
    if (outcome.verb === "dead") void this.#bury(delivery, outcome);
    else delivery.from.settle(delivery, outcome.verb, outcome.verb === "ack" ? 0 : outcome.ms, this.#settled, outcome);
  }

  readonly #settled = (isValid: boolean, outcome: Outcome | undefined): void => {
    this.#held -= 1;
    this.#parts.onEnd(outcome!, isValid);
  };

  readonly #gaveBack = (): void => {
    this.#held -= 1;
  };

  /** Goes on as long as it is this process's: until then nobody else has it. */
  async #bury(delivery: Delivery, outcome: Extract<Outcome, { verb: "dead" }>): Promise<void> {
    const pause = new Pause(this.#parts.runtime, this.#stop.signal);
    let isBuried = false;
    this.#burials += 1;
    // Kept like one that runs.
    if (delivery.state === "waits") delivery.state = "runs";
    while (delivery.state !== "lost" && !this.#stop.signal.aborted) {
      try {
        isBuried = await this.#parts.bury(delivery, outcome);
        break;
      } catch (error) {
        if (isClosed(error)) break;
        warnUnlessOutage(error);
        await pause.next();
      }
    }
    delivery.from.forget(delivery);
    this.#burials -= 1;
    this.#settled(isBuried, outcome);
    this.fill();
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
