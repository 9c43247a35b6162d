/** What subscriptions of both kinds are to their users. */
import type { Duration } from "../base/options.ts";
import type { Backoff, BackoffFunction } from "../core/retry/backoff.ts";
import type { TopicRate } from "./pace.ts";

export type TopicSubscriptionKind = "ordered" | "shared";

/** How long after a failure a message is delivered again. */
export type TopicBackoff = Backoff;
/** A back-off of your own: `failures` is 1 after the first one. */
export type TopicBackoffFunction = BackoffFunction;

/**
 * Where a subscription goes on: at the oldest message that is kept, behind the newest, at the first one that was published at `time` or later, or
 * behind the message with this offset or position.
 */
export type TopicSeek =
  | "start"
  | "end"
  | { readonly time: Date | number }
  | { readonly partition: number; readonly offset: number }
  | { readonly position: string };

export interface TopicSeekOptions {
  /** What becomes of the state of a transactional subscription: it stays as it is, or goes, in the same step. @default "keep" */
  readonly state?: "keep" | "clear";
}

/** How far a subscription is behind, in one partition. */
export interface TopicPartitionLag {
  readonly partition: number;
  /** The last offset that is finished, with all below. */
  readonly committed: number;
  /** Of the newest message; 0 where there never was one. */
  readonly head: number;
  readonly messages: number;
}

/** How far a subscription is behind. */
export interface TopicLag {
  /** That are not finished; of them those that are in work. */
  readonly messages: number;
  /** Since the oldest of them was published; undefined where there is none. */
  readonly oldestAgeMs: number | undefined;
  readonly partitions: readonly TopicPartitionLag[];
}

/** Counts of one subscription in this process, since it was made. */
export interface TopicSubscriptionStats {
  /** Messages whose handler has ended well. */
  readonly handled: number;
  /** Deliveries whose handler has failed. */
  readonly failed: number;
  /** Sent to the dead letters. */
  readonly dead: number;
  /** Left out by the filter, or given up without a dead letter. */
  readonly skipped: number;
  /** Handlers that run at the moment. */
  readonly running: number;
}

/** Messages are missing at this place. */
export interface TopicGap {
  /** `gap`: retention has removed them; `reset`: the topic's log was lost and has begun again, nobody knows how many are missing. */
  readonly kind: "gap" | "reset";
  readonly partition: number;
  /** Offsets; of a `reset` undefined. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly count: number | undefined;
}

/**
 * A subscription of this process: one member among those with the same name.
 * @example
 * await using billing = orders.subscribe("billing", (order) => bill(order.payload));
 * process.once("SIGTERM", () => void billing.close());
 */
export interface TopicSubscription extends AsyncDisposable {
  readonly name: string;
  readonly topic: string;
  readonly kind: TopicSubscriptionKind;
  /** As which the other members know this one. */
  readonly id: string;
  /** Aborts when it has ended, or stopped by itself: its reason says why. */
  readonly signal: AbortSignal;
  /** Resolves when it has ended, by whomever; never rejects. */
  readonly ended: Promise<void>;
  /**
   * Resolves once the subscription exists on the server: what is published from then on reaches it. While the server is away it waits.
   * @throws ClosedError when it was closed before
   */
  ready(): Promise<void>;
  stats(): TopicSubscriptionStats;
  /** No handler begins any more; resolves when none runs. What this process owns, it keeps. */
  pause(): Promise<void>;
  resume(): void;
  /**
   * Returns how far the subscription is behind, in all processes.
   * Cost: a script and a read per partition.
   */
  lag(): Promise<TopicLag>;
  /**
   * Moves the subscription, for all of its members: what is in flight is fenced, its outcome does not count.
   * Cost: a script per partition, and what `time` costs to find.
   */
  seek(to: TopicSeek, options?: TopicSeekOptions): Promise<void>;
  /**
   * Begins no more handlers and waits for those that run, at most for `drain`; then their signals abort. Commits what is finished and leaves.
   * Idempotent; never rejects. For a handler of this subscription it resolves at once.
   */
  close(): Promise<void>;
}

/** What subscriptions of both kinds take. */
export interface TopicSubscribeCommonOptions {
  /** Where a subscription begins that does not exist yet. @default "end" */
  readonly start?: "start" | "end" | { readonly time: Date | number };
  /** Handlers that run at once in this process. @default 10 */
  readonly concurrency?: number;
  /** How many messages begin in any span of time in this process, again delivered ones included. @default no limit */
  readonly rate?: TopicRate;
  /** How often a message is delivered before it is given up. @default 10 */
  readonly maxDeliveries?: number;
  /** How long after a failure a message is delivered again. */
  readonly backoff?: TopicBackoff | TopicBackoffFunction;
  /** How long `close()` waits for handlers that run. @default "25s" */
  readonly drain?: Duration;
  /** How long the subscription outlives its last use; `false`: for ever. @default "30d" */
  readonly expires?: Duration | false;
}
