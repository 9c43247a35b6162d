/**
 * Shared subscriptions: any number of consumers, each message to one of them, in no order that is promised.
 *
 * What they promise: each message that is in the topic is handled at least once, and no more once its acknowledgement has been answered. At any time one
 * consumer has it; it is with another one when its visibility is over, which is extended while its handler runs, and what an older delivery still
 * does then changes nothing. One that fails is delivered again, after a while, to whoever comes first; when its deliveries are used up it
 * becomes a dead letter. Where messages are gone, `onGap` says so.
 *
 * While the server is away: what is claimed is handled, acknowledgements wait; when the visibility is over by this process's own clock the
 * handlers' signals abort, and whether an acknowledgement still counts is the server's decision when it is back.
 */
import { inform } from "../../base/inform.ts";
import { Deferred } from "../../base/deferred.ts";
import { Door } from "../../base/door.ts";
import { ClosedError } from "../../base/errors.ts";
import { type Timer, within } from "../../base/runtime.ts";
import { Pause } from "../../core/retry/pause.ts";
import { DeadLetterStore } from "../dead/store.ts";
import { mayPass, warnUnlessOutage } from "../patience.ts";
import type { TopicSource } from "../source.ts";
import type {
  TopicGap,
  TopicLag,
  TopicSeek,
  TopicSeekOptions,
  TopicSubscription,
  TopicSubscriptionStats,
} from "../subscription.ts";
import { Registry } from "../subscriptions/registry.ts";
import { SharedConsumer } from "./consumer.ts";
import { SharedControl } from "./control.ts";
import type { Delivery, Outcome } from "./delivery.ts";
import { Handling, type TopicSharedHandler, type TopicSharedManyHandler } from "./handler.ts";
import { hear } from "./hearing.ts";
import type { SharedSettings } from "./options.ts";
import { KeptPacks } from "./packs.ts";
import { SharedPartition } from "./partition.ts";
import { Settling } from "./settling.ts";

/** How often it is noted that a subscription is in use. */
const MAX_USE_MS = 3_600_000;

export interface SharedParts<T> {
  readonly source: TopicSource<T>;
  readonly name: string;
  readonly settings: SharedSettings;
  readonly handler?: TopicSharedHandler<T>;
  readonly manyHandler?: TopicSharedManyHandler<T>;
}

export class SharedSubscription<T> implements TopicSubscription {
  readonly kind = "shared";
  readonly name: string;
  readonly topic: string;
  readonly id: string;
  readonly #parts: SharedParts<T>;
  readonly #label: string;
  readonly #control: SharedControl;
  readonly #registry: Registry;
  readonly #dead: DeadLetterStore;
  readonly #door: Door;
  readonly #ended = new AbortController();
  readonly #stop = new AbortController();
  readonly #ready = new Deferred<void>();
  readonly #over = new Deferred<void>();
  readonly #counts = { handled: 0, failed: 0, dead: 0, skipped: 0 };
  readonly #disown: () => void;
  #partitions: readonly SharedPartition[] = [];
  readonly #kept = new KeptPacks();
  #settlings: readonly Settling[] = [];
  #consumer: SharedConsumer | undefined;
  #renewal: Timer | undefined;
  #use: Timer | undefined;
  #isPaused = false;
  #closing: Promise<void> | undefined;

  constructor(parts: SharedParts<T>) {
    const { source, name, settings } = parts;
    const { core } = source;
    this.#parts = parts;
    this.name = name;
    this.topic = source.name;
    this.id = core.driver.runtime.randomUUID();
    this.#label = `${source.label}: subscription ${JSON.stringify(name)}`;
    this.#control = new SharedControl(source, name, settings.expiresMs);
    this.#registry = new Registry(core, source.name, source.settings.timeoutMs ?? core.driver.timeoutMs);
    this.#dead = new DeadLetterStore(source, name);
    this.#door = new Door(core.handlers);
    this.#ready.promise.catch(() => undefined);
    this.#disown = core.own(this);
    void this.#begin();
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
    return { ...this.#counts, running: this.#consumer?.running ?? 0 };
  }

  async pause(): Promise<void> {
    this.#isPaused = true;
    const paused = this.#consumer?.pause() ?? Promise.resolve();
    await this.#door.waiting(paused);
  }

  resume(): void {
    this.#isPaused = false;
    this.#consumer?.resume();
  }

  lag(): Promise<TopicLag> {
    return this.#control.lag();
  }

  seek(to: TopicSeek, options?: TopicSeekOptions): Promise<void> {
    return this.#control.seek(to, options);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(new ClosedError(`${this.#label} was closed`));
    return this.#door.waiting(this.#closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** While the server is away it waits for it. */
  async #begin(): Promise<void> {
    const { core } = this.#parts.source;
    const pause = new Pause(core.driver.runtime, this.#stop.signal);
    while (!this.#stop.signal.aborted) {
      try {
        await this.#establish();
        return;
      } catch (error) {
        if (!mayPass(error)) return this.#stopBy(error);
        await pause.next();
      }
    }
  }

  async #establish(): Promise<void> {
    const { source, name, settings } = this.#parts;
    const { runtime } = source.core.driver;
    // What is registered has begun in all its partitions: where it is unknown there, the server has lost it.
    const isKnown = (await this.#registry.find(name)) === "shared";
    const starts = await Promise.all(
      source.logs.map(async (_, partition) => (isKnown ? 0 : this.#control.beginning(partition, settings.start))),
    );
    if (this.#closing !== undefined) return;
    this.#settlings = [];
    for (const partition of this.#partitions) partition.close();
    this.#partitions = starts.map((start, partition) => this.#partition(partition, start));
    await Promise.all(this.#partitions.map((partition) => partition.claim(0)));
    await this.#register();
    // What was made is closed by then, and nothing else is to begin.
    if (this.#closing !== undefined) return;
    this.#consumer = this.#consume();
    this.#renewal = runtime.setInterval(() => this.#renew(), settings.visibilityMs / 3);
    const { expiresMs } = settings;
    // Also of one that never expires: the list of subscriptions may be evicted.
    const usedMs = expiresMs > 0 ? Math.min(expiresMs / 3, MAX_USE_MS) : MAX_USE_MS;
    this.#use = runtime.setInterval(() => void this.#keep().catch(warnUnlessOutage), usedMs);
    this.#hear();
    if (this.#isPaused) void this.#consumer.pause();
    this.#ready.resolve();
    this.#consumer.fill();
  }

  /** Also where nothing is claimed, as it is paused, or all of its handlers run. */
  async #keep(): Promise<void> {
    await Promise.all([this.#register(), ...this.#partitions.map((partition) => partition.keep())]);
  }

  #register(): Promise<void> {
    return this.#registry.register(this.name, "shared", this.#parts.settings.expiresMs);
  }

  #partition(partition: number, start: number): SharedPartition {
    const { source, settings } = this.#parts;
    const { core } = source;
    const { runtime } = core.driver;
    const store = this.#control.store(partition, this.id);
    const settling = new Settling(store, runtime, this.#stop.signal, () => this.#consumer?.fill());
    this.#settlings = [...this.#settlings, settling];
    return new SharedPartition({
      partition,
      runtime,
      store,
      settling,
      feed: core.logs.feed(source.logs[partition]!),
      kept: this.#kept,
      letter: (token) => this.#dead.message(partition, token.member.slice(1), token),
      visibilityMs: settings.visibilityMs,
      pollMs: settings.pollMs,
      start,
      onHungry: () => this.#consumer?.fill(),
      onGap: (gap) => void this.#gap(gap),
      onFailure: (error) => this.#stopBy(error),
    });
  }

  #consume(): SharedConsumer {
    const { source, settings, handler, manyHandler } = this.#parts;
    const handlers = { one: handler, many: manyHandler };
    const handling = new Handling(source, settings, this.#door, handlers, (error) => this.#report(error));
    return new SharedConsumer({
      runtime: source.core.driver.runtime,
      partitions: this.#partitions,
      concurrency: settings.concurrency,
      size: settings.size,
      rate: settings.rate,
      lingerMs: settings.lingerMs,
      prefetch: settings.prefetch,
      visibilityMs: settings.visibilityMs,
      calls: manyHandler === undefined ? "one" : "many",
      admit: (delivery) => handling.admit(delivery),
      performOne: (delivery) => handling.performOne(delivery),
      performMany: (group) => handling.performMany(group),
      bury: (delivery, outcome) => this.#bury(delivery, outcome),
      onEnd: (outcome, isValid) => this.#count(outcome, isValid),
    });
  }

  async #bury(delivery: Delivery, { reason, error }: Extract<Outcome, { verb: "dead" }>): Promise<boolean> {
    const { pack, offset, number, token: claim } = delivery;
    const { partition } = delivery.from;
    const letter = { partition, pack, offset, deliveries: number, reason, error, claim };
    return (await this.#dead.bury(letter)) === "ok";
  }

  #count(outcome: Outcome, isValid: boolean): void {
    const counts = this.#counts;
    if (outcome.verb === "due" || outcome.verb === "dead") counts.failed += 1;
    if (!isValid) return;
    if (outcome.verb === "dead") counts.dead += 1;
    else if (outcome.verb === "ack" && outcome.isSkipped) counts.skipped += 1;
    else if (outcome.verb === "ack") counts.handled += 1;
  }

  #renew(): void {
    for (const partition of this.#partitions) partition.renew();
  }

  #hear(): void {
    const { source, name, settings } = this.#parts;
    hear({
      source,
      name,
      pollMs: settings.pollMs,
      stop: this.#stop.signal,
      onWake: () => this.#partitions.forEach((partition) => partition.look()),
      onSilence: () => this.#partitions.forEach((partition) => partition.poll()),
      onRemoved: () => this.#stopBy(new ClosedError(`${this.#label} was removed`)),
      onUnknown: () => void this.#register().catch(warnUnlessOutage),
    });
  }

  async #gap(gap: TopicGap): Promise<void> {
    const { onGap } = this.#parts.settings;
    if (onGap === undefined) return;
    try {
      await this.#door.enter(() => onGap(gap));
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    inform(() => this.#parts.settings.onError?.(error));
  }

  /** By itself: what it has nobody else to say it to is a warning. */
  #stopBy(error: unknown): void {
    if (this.#closing !== undefined) return;
    if (!(error instanceof ClosedError)) warnUnlessOutage(error);
    this.#closing = this.#close(error);
  }

  async #close(reason: unknown): Promise<void> {
    const { settings, source } = this.#parts;
    const { runtime, timeoutMs } = source.core.driver;
    this.#ready.reject(reason);
    await this.#consumer?.close(settings.drainMs);
    runtime.clearInterval(this.#renewal);
    runtime.clearInterval(this.#use);
    for (const partition of this.#partitions) partition.close();
    await within(runtime, timeoutMs, Promise.all(this.#settlings.map((settling) => settling.idle())));
    this.#stop.abort();
    this.#disown();
    this.#ended.abort(reason);
    this.#over.resolve();
  }
}
