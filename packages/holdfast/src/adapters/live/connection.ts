/** One client's connection: its subscriptions, each with its cursor, and what waits to be read by it. */
import { cursorsText } from "./cursors.ts";
import { HEARTBEAT, type LiveNotice, messageText, noticeText, retryText } from "./event-text.ts";
import { FRAME_HEARTBEAT, messageFrame, noticeFrame, retryFrame } from "./frame-text.ts";
import type { FanOut } from "./fan-out.ts";
import { type FeedReceiver, readSource } from "./feeds.ts";
import type { LiveIdentity, LiveSource } from "./options.ts";
import { Outbox } from "./outbox.ts";

/** How events are written: as server-sent events, or as messages of a WebSocket. */
export interface LiveFormat {
  message(subscription: string, json: string, id: string): string;
  notice(notice: LiveNotice, id: string): string;
  readonly heartbeat: string;
  retry(ms: number): string;
}

export const SSE: LiveFormat = { message: messageText, notice: noticeText, heartbeat: HEARTBEAT, retry: retryText };
export const FRAMES: LiveFormat = {
  message: messageFrame,
  notice: noticeFrame,
  heartbeat: FRAME_HEARTBEAT,
  retry: retryFrame,
};

/** What brings its events to the client, and notices that the client is gone. */
export interface LiveCarrier {
  /** Called every `sweepMs`. */
  sweep?(now: number, terms: SweepTerms): void;
  /** Gives the client up at once, whatever it has yet to read. Idempotent. */
  drop(): void;
}

/** Why the server ended it. After the first three the client comes back; the last are about what its client has sent. */
export type LiveEnding = "closing" | "failed" | "slow" | "revoked" | "expired" | LiveRefusal;
export type LiveRefusal = "binary" | "malformed" | "flood";

export interface ConnectionTerms {
  readonly id: string;
  readonly buffer: number;
  readonly onSlow: "close" | "drop";
  readonly format: LiveFormat;
  /** Whether an event's id has the cursor of its own subscription only, for clients that put them together themselves. */
  readonly ownCursors: boolean;
  readonly cursors: ReadonlyMap<string, string>;
  onError(error: unknown): void;
  /** Nothing more comes into it; what waits is still sent. */
  onEnd(connection: LiveConnection): void;
  /** Its client has read all of it, or is gone. */
  onGone(connection: LiveConnection): void;
}

export interface SweepTerms {
  readonly sweepMs: number;
  readonly heartbeatMs: number;
  readonly stallMs: number;
}

export class LiveConnection {
  readonly id: string;
  /** As `identify` has said last. */
  identity: LiveIdentity;
  readonly #terms: ConnectionTerms;
  readonly #outbox: Outbox;
  readonly #fans: FanOut;
  readonly #subscriptions = new Map<string, AbortController>();
  /** Where each has got to: all that a client came with, until it is further, as it comes back with what it was told last. */
  readonly #cursors: Map<string, string>;
  /** What its client came with and has not subscribed to yet. */
  readonly #given: Map<string, string>;
  /** How many messages were left out, by subscription; null where nobody knows. */
  readonly #dropped = new Map<string, number | null>();
  /** As the last sweep has seen them, and when it was that they changed. */
  #puts = 0;
  #putAt = 0;
  #takes = 0;
  #takenAt: number | undefined;
  #ending: LiveEnding | undefined;
  #isEnded = false;
  /** When a sweep has first seen that it has ended. */
  #endedAt: number | undefined;
  #carrier: LiveCarrier | undefined;
  #isGone = false;

  constructor(identity: LiveIdentity, fans: FanOut, terms: ConnectionTerms) {
    this.id = terms.id;
    this.identity = identity;
    this.#terms = terms;
    this.#fans = fans;
    this.#outbox = new Outbox(terms.buffer);
    this.#given = new Map(terms.cursors);
    this.#cursors = new Map(terms.ownCursors ? [] : terms.cursors);
  }

  get subscriptions(): readonly string[] {
    return [...this.#subscriptions.keys()];
  }

  has(subscription: string): boolean {
    return this.#subscriptions.has(subscription);
  }

  /** What is to be sent next; undefined when it has ended. To be called again when that was sent. */
  next(): Promise<string | undefined> {
    return this.#outbox.next();
  }

  /** Resolves when there is room for what its client is told next, or it is told nothing more. */
  room(): Promise<void> {
    return this.#outbox.room();
  }

  /** To be called once, by what carries it from now on. */
  carriedBy(carrier: LiveCarrier): void {
    this.#carrier = carrier;
    if (this.#isGone) carrier.drop();
  }

  /** Undefined where the server has not ended it. */
  get ending(): LiveEnding | undefined {
    return this.#ending;
  }

  /** The client is gone, or is given up, or has read all of what has ended. Idempotent. */
  abandon(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#stop();
    this.#outbox.discard();
    this.#carrier?.drop();
    this.#terms.onGone(this);
  }

  /** The server ends it: what waits is still sent, and the client comes back after `retryMs`. Idempotent. */
  end(ending: "closing" | "failed" | "slow", retryMs?: number): void {
    if (this.#isEnded) return;
    this.#ending = ending;
    if (retryMs !== undefined) this.#outbox.put(this.#terms.format.retry(retryMs));
    this.#stop();
    this.#outbox.end();
  }

  /** For good. What waits is not sent: it is not this client's any more. */
  bye(reason: "revoked" | "expired"): void {
    this.#cut(reason, this.#terms.format.notice({ type: "bye", reason }, ""));
  }

  /** As `bye`, for what its client has sent. */
  refuse(refusal: LiveRefusal): void {
    this.#cut(refusal, "");
  }

  begin(retryMs: number): void {
    this.#outbox.put(this.#terms.format.retry(retryMs));
    this.notice({ type: "hello", connection: this.id });
  }

  notice(notice: LiveNotice): void {
    this.#outbox.put(
      this.#terms.format.notice(notice, this.#idOf("subscription" in notice ? notice.subscription : "")),
    );
  }

  /** Reads `source` for it from now on, from the cursor that its client came with. */
  add(subscription: string, source: LiveSource, given: string | undefined): void {
    if (this.#isEnded || this.#subscriptions.has(subscription)) return;
    const cursor = given ?? this.#given.get(subscription);
    // One that is made again begins from the start.
    this.#given.delete(subscription);
    if (cursor !== undefined) this.#cursors.set(subscription, cursor);
    const stop = new AbortController();
    this.#subscriptions.set(subscription, stop);
    void this.#read(subscription, source, cursor, stop.signal);
  }

  /** The client wants it no more, or may not have it any more. */
  remove(subscription: string, notice: LiveNotice | undefined): void {
    const stop = this.#subscriptions.get(subscription);
    if (stop === undefined) return;
    this.#forget(subscription);
    stop.abort();
    if (notice !== undefined) this.notice(notice);
  }

  /** Called every `sweepMs`: sends a heartbeat where the client has had nothing, and gives it up where it takes nothing. */
  sweep(now: number, terms: SweepTerms): void {
    const { sweepMs, heartbeatMs, stallMs } = terms;
    if (this.#isEnded) {
      this.#endedAt ??= now;
      if (now - this.#endedAt >= stallMs) this.abandon();
      return;
    }
    this.#carrier?.sweep?.(now, terms);
    const { puts, takes, isEmpty } = this.#outbox;
    if (puts !== this.#puts) [this.#puts, this.#putAt] = [puts, now];
    // Of one that nothing was taken of yet it counts from here.
    this.#takenAt ??= now;
    if (isEmpty || takes !== this.#takes) [this.#takes, this.#takenAt] = [takes, now];
    else if (now - this.#takenAt >= stallMs) return this.abandon();
    if (isEmpty && now + sweepMs - this.#putAt >= heartbeatMs) this.#outbox.put(this.#terms.format.heartbeat);
  }

  async #read(
    subscription: string,
    source: LiveSource,
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await readSource(source, this.#receiver(subscription, cursor, signal), this.#fans);
      if (signal.aborted) return;
      this.#subscriptions.delete(subscription);
      // Where it is in the id of each event it stays: a client that comes back is not to see it again.
      if (this.#terms.ownCursors) this.#forget(subscription);
    } catch (error) {
      if (signal.aborted) return;
      this.#terms.onError(error);
      // It comes back with its cursors: what cannot be read here and now may be then.
      this.end("failed");
    }
  }

  #receiver(subscription: string, cursor: string | undefined, signal: AbortSignal): FeedReceiver {
    const isOver = (): boolean => signal.aborted || this.#isEnded;
    return {
      subscription,
      cursor,
      signal,
      opened: (at) => {
        if (isOver()) return;
        if (at === undefined) this.#cursors.delete(subscription);
        else this.#cursors.set(subscription, at);
        this.notice({ type: "open", subscription });
      },
      room: () => this.#outbox.room(),
      message: (json, at) => {
        if (!isOver()) this.#put(subscription, json, at);
      },
      push: (json, at) => {
        if (!isOver()) this.#push(subscription, json, at);
      },
      notice: (notice, at) => {
        if (isOver()) return;
        if (at !== undefined) this.#cursors.set(subscription, at);
        this.notice(notice);
      },
      lost: (count) => {
        if (isOver()) return;
        if (this.#outbox.isFull) this.#leaveOut(subscription, count);
        else this.notice({ type: "gap", subscription, count });
      },
      failed: (error) => {
        if (isOver()) return;
        this.#terms.onError(error);
        this.notice({ type: "gap", subscription, count: 1 });
      },
    };
  }

  #put(subscription: string, json: string, at: string): void {
    this.#cursors.set(subscription, at);
    this.#outbox.put(this.#terms.format.message(subscription, json, this.#idOf(subscription)));
  }

  #push(subscription: string, json: string, at: string): void {
    if (this.#outbox.isFull) return this.#leaveOut(subscription, 1);
    this.#sayDropped(subscription);
    this.#put(subscription, json, at);
  }

  #leaveOut(subscription: string, count: number | null): void {
    if (this.#terms.onSlow === "close") return this.end("slow");
    const before = this.#dropped.get(subscription);
    this.#dropped.set(subscription, before === null || count === null ? null : (before ?? 0) + count);
    if (before === undefined) void this.#outbox.room().then(() => this.#sayDropped(subscription));
  }

  #sayDropped(subscription: string): void {
    const count = this.#dropped.get(subscription);
    if (count === undefined || this.#isEnded) return;
    this.#dropped.delete(subscription);
    this.notice({ type: "gap", subscription, count });
  }

  #idOf(subscription: string): string {
    if (!this.#terms.ownCursors) return cursorsText(this.#cursors);
    const cursor = this.#cursors.get(subscription);
    return cursor === undefined ? "" : cursorsText(new Map([[subscription, cursor]]));
  }

  #forget(subscription: string): void {
    this.#subscriptions.delete(subscription);
    this.#cursors.delete(subscription);
    this.#dropped.delete(subscription);
  }

  #cut(ending: LiveEnding, last: string): void {
    if (this.#isEnded) return;
    this.#ending = ending;
    this.#stop();
    this.#outbox.clear();
    this.#outbox.put(last);
    this.#outbox.end();
  }

  #stop(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const stop of this.#subscriptions.values()) stop.abort();
    this.#terms.onEnd(this);
  }
}
