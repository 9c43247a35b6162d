/**
 * Ordered subscriptions: a cursor in each partition, one owner of each at a time, messages of one key one after the other.
 *
 * What they promise: each message that is in the topic is handled at least once, in the order of its key; one that fails is delivered
 * again, and only its key waits for it. What a process that has lost a partition still does changes nothing on the server, and has a lower fence
 * than what its successor does. After a crash at most `window` messages of a partition are delivered again. Where messages are gone, `onGap` says so.
 *
 * While the server is away: what was read is handled, commits wait; when the lease is over by this process's own clock, the handlers'
 * signals abort. When the server is back, each partition is taken again and goes on at its cursor.
 */
import { Deferred } from "../../base/deferred.ts";
import { Door } from "../../base/door.ts";
import { AbortedError, ClosedError, HoldfastError, isOutage } from "../../base/errors.ts";
import { Pause } from "../../core/retry/pause.ts";
import { letterName } from "../dead/record.ts";
import type { DeadLetterStore } from "../dead/store.ts";
import type { TopicSource } from "../source.ts";
import type {
  TopicGap,
  TopicLag,
  TopicSeek,
  TopicSeekOptions,
  TopicSubscription,
  TopicSubscriptionStats,
} from "../subscription.ts";
import { PartitionState } from "../state/partition-state.ts";
import { StateCodec, type Stored } from "../state/stored.ts";
import { Registry } from "../subscriptions/registry.ts";
import { resolve } from "./beginning.ts";
import { OrderedControl } from "./control.ts";
import { Handling, type TopicTransactionalHandler, type TopicTransactionalManyHandler } from "./handling.ts";
import type { OrderedSettings } from "./options.ts";
import { Ownership } from "./ownership.ts";
import { Scheduler } from "./scheduler.ts";
import { Seen } from "./seen.ts";
import { type Grant, Tenure } from "./tenure.ts";
import type { Share, Work } from "./share.ts";

export interface OrderedParts<T> {
  readonly source: TopicSource<T>;
  readonly name: string;
  readonly settings: OrderedSettings;
  readonly handler?: TopicTransactionalHandler<T>;
  readonly manyHandler?: TopicTransactionalManyHandler<T>;
  readonly letters: DeadLetterStore;
}

export class OrderedSubscription<T> implements TopicSubscription {
  readonly kind = "ordered";
  readonly name: string;
  readonly topic: string;
  readonly id: string;
  readonly #parts: OrderedParts<T>;
  readonly #label: string;
  readonly #control: OrderedControl<T>;
  readonly #handling: Handling<T>;
  readonly #scheduler: Scheduler;
  readonly #ownership: Ownership;
  readonly #seen = new Seen();
  readonly #door: Door;
  readonly #disown: () => void;
  readonly #ended = new AbortController();
  readonly #ready = new Deferred<void>();
  readonly #over = new Deferred<void>();
  #warned = false;
  #closing: Promise<void> | undefined;

  constructor(parts: OrderedParts<T>) {
    const { source, name, settings } = parts;
    const { core } = source;
    const { runtime } = core.driver;
    this.#parts = parts;
    this.name = name;
    this.topic = source.name;
    this.id = settings.id ?? runtime.randomUUID();
    this.#label = `${source.label}: subscription ${JSON.stringify(name)}`;
    this.#control = new OrderedControl(source, name, settings.keepMs);
    this.#door = new Door(core.handlers);
    this.#ready.promise.catch(() => undefined);
    this.#handling = new Handling({
      runtime,
      settings,
      door: this.#door,
      handler: parts.handler,
      manyHandler: parts.manyHandler,
      decode: ({ pack, offset, share }) => source.decode(pack, offset, share.partition),
      bury: (work, reason, error) => this.#bury(work, reason, error),
      room: async (share) => this.#tenureOf(share)?.reach(0),
      stop: (error) => this.#stop(error),
    });
    this.#scheduler = new Scheduler(runtime, settings, this.#handling);
    this.#ownership = new Ownership({
      runtime,
      wakeups: core.wakeups,
      store: this.#control.store,
      id: this.id,
      partitions: source.logs.length,
      leaseMs: settings.leaseMs,
      drainMs: settings.drainMs,
      establish: (lost) => this.#establish(lost),
      recreate: (partition) => this.#recreate(partition),
      begin: (partition, grant, grantedAt, onEnd) => this.#begin(partition, grant, grantedAt, onEnd),
      onReady: () => this.#ready.resolve(),
      stop: (error) => this.#stop(error),
      onFault: (error) => this.#onFault(error),
    });
    this.#disown = core.own(this);
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get ended(): Promise<void> {
    return this.#over.promise;
  }

  ready(): Promise<void> {
    return this.#ready.promise;
  }

  stats(): TopicSubscriptionStats {
    return { ...this.#handling.counts, running: this.#scheduler.running };
  }

  async pause(): Promise<void> {
    this.#scheduler.pause();
    if (this.#door.isCaller) return;
    await Promise.all(this.#ownership.tenures.map(({ share }) => share.until(() => share.running === 0)));
  }

  resume(): void {
    this.#scheduler.resume();
  }

  lag(): Promise<TopicLag> {
    return this.#control.lag();
  }

  seek(to: TopicSeek, options?: TopicSeekOptions): Promise<void> {
    return this.#control.seek(to, options);
  }

  close(): Promise<void> {
    return this.#end(new ClosedError(`${this.#label} was closed`));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(reason: HoldfastError): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#door.waiting(this.#closing);
  }

  async #close(reason: unknown): Promise<void> {
    this.#ready.reject(reason);
    this.#scheduler.close();
    await this.#ownership.close();
    this.#disown();
    this.#ended.abort(reason);
    this.#over.resolve();
  }

  /** By itself: what it says to nobody else is a warning. */
  #stop(error: unknown): void {
    if (this.#closing !== undefined) return;
    if (!(error instanceof ClosedError)) this.#warn(`has stopped: ${messageOf(error)}`);
    this.#ended.abort(error);
    this.#closing = this.#close(error);
  }

  /** The cursors first: whoever finds the registration relies on them. */
  async #establish(lost: boolean): Promise<void> {
    const { source, name, settings } = this.#parts;
    const { core } = source;
    const registry = new Registry(core, source.name, source.settings.timeoutMs);
    const known = await registry.find(name);
    const isLost = lost || known === "ordered";
    if (known !== "shared") {
      const place = isLost ? "start" : settings.start;
      await Promise.all(source.logs.map((_, partition) => this.#create(partition, place, isLost)));
    }
    await registry.register(name, "ordered", settings.keepMs);
  }

  /** The server has lost what it knew of it: nothing that is there may be left out. Where it was removed meanwhile, nothing of it is to stay. */
  async #recreate(partition: number): Promise<void> {
    const { source, name } = this.#parts;
    await this.#create(partition, "start", true);
    const known = await new Registry(source.core, source.name, source.settings.timeoutMs).find(name);
    if (known === undefined) await this.#control.store.remove(partition);
  }

  async #create(partition: number, place: OrderedSettings["start"], lost: boolean): Promise<void> {
    const { store } = this.#control;
    const from = await resolve(this.#parts.source, partition, place, "topic.subscribe");
    await store.create(partition, from, lost);
  }

  #begin(partition: number, grant: Grant, grantedAt: number, onEnd: () => void): Tenure {
    const { source, settings } = this.#parts;
    const { counts } = this.#handling;
    const { core } = source;
    const parts = {
      runtime: core.driver.runtime,
      partition,
      label: `${this.#label}, partition ${partition}`,
      store: this.#control.store,
      letters: this.#parts.letters,
      state: settings.transactional
        ? (names: number, until: () => AbortSignal) =>
            new PartitionState({
              codec: new StateCodec(source.info, this.#control.store.stateKey(partition)),
              maxNames: settings.maxNames,
              names,
              read: (wanted) => this.#readState(partition, wanted, until()),
            })
        : undefined,
      isBuried: (offset: number) => this.#isBuried(partition, offset),
      feed: core.logs.feed(source.logs[partition]!),
      scheduler: this.#scheduler,
      settings,
      seen: this.#seen,
      onSkipped: () => (counts.skipped += 1),
      onGap: (gap: TopicGap) => this.#gap(gap),
      onFault: (error: unknown) => this.#onFault(error),
      report: (error: unknown) => this.#handling.report(error),
      onEnd,
    };
    return new Tenure(parts, grant, grantedAt);
  }

  async #gap(gap: TopicGap): Promise<void> {
    const { onGap } = this.#parts.settings;
    if (onGap === undefined) return;
    try {
      await this.#door.enter(() => onGap(gap));
    } catch (error) {
      this.#handling.report(error);
    }
  }

  /** Until it is done, or the partition is lost. */
  async #bury(work: Work, reason: "exhausted" | "undecodable", error: unknown): Promise<boolean> {
    const { source, letters } = this.#parts;
    const { share, pack, offset, failures, letter } = work;
    const { partition, fence } = share;
    const owner = { fence, place: letter?.place ?? "" };
    // Then it is the first that the next owner finds, who looks for its letter.
    if (share.state !== undefined && letter === undefined) await this.#tenureOf(share)?.reach(offset - 1);
    const pause = new Pause(source.core.driver.runtime, share.signal);
    while (!share.isOver) {
      try {
        const burial = { partition, pack, offset, deliveries: Math.max(failures, 1), reason, error, owner };
        return (await letters.bury(burial)) === "ok";
      } catch (fault) {
        this.#onFault(fault);
        await pause.next();
      }
    }
    return false;
  }

  #tenureOf(share: Share): Tenure | undefined {
    return this.#ownership.tenures.find((tenure) => tenure.share === share);
  }

  /** Waits for the server, until the partition is lost. */
  async #readState(partition: number, names: readonly string[], until: AbortSignal): Promise<readonly Stored[]> {
    const pause = new Pause(this.#parts.source.core.driver.runtime, until);
    for (;;) {
      if (until.aborted) throw new AbortedError(`${this.#label}: partition ${partition} was lost, or given back`);
      try {
        return await this.#control.store.readState(partition, names);
      } catch (error) {
        this.#onFault(error);
        await pause.next();
      }
    }
  }

  async #isBuried(partition: number, offset: number): Promise<boolean> {
    const { source, letters } = this.#parts;
    const [pack] = await source.store(partition, "topic.subscribe").range(offset, 1);
    if (pack === undefined || pack.first > offset) return false;
    return letters.has(partition, letterName(pack.epoch, offset), pack.at);
  }

  /** What no waiting mends is said once; it is tried again all the same. */
  #onFault(error: unknown): void {
    const code = error instanceof HoldfastError ? error.code : undefined;
    if (isOutage(error) || code === "TIMEOUT" || code === "CLOSED") return;
    if (code === "OUTCOME_UNKNOWN" || error instanceof AbortedError) return;
    this.#warn(`goes on trying: ${messageOf(error)}`);
  }

  #warn(what: string): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(`${this.#label} ${what}`, { code: "HOLDFAST_TOPIC" });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
