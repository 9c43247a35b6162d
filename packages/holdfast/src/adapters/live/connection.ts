/** One client's connection: its subscriptions, each with its cursor, and what waits to be read by it. */
import { cursorsText } from "./cursors.ts";
import { HEARTBEAT, type LiveNotice, messageText, noticeText, retryText } from "./event-text.ts";
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

export interface ConnectionTerms {
  readonly id: string;
  readonly buffer: number;
  readonly onSlow: "close" | "drop";
  readonly format: LiveFormat;
  /** Whether an event's id has the cursor of its own subscription only, for clients that put them together themselves. */
  readonly ownCursors: boolean;
  readonly cursors: ReadonlyMap<string, string>;
  onError(error: unknown): void;
  onEnd(connection: LiveConnection): void;
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
  readonly #cursors = new Map<string, string>();
  /** How many messages were left out, by subscription; null where nobody knows. */
  readonly #dropped = new Map<string, number | null>();
  /** As the last sweep has seen them, and when it was that they changed. */
  #puts = 0;
  #putAt = 0;
  #takes = 0;
  #takenAt = 0;
  #isEnded = false;

  constructor(identity: LiveIdentity, fans: FanOut, terms: ConnectionTerms) {
    this.id = terms.id;
    this.identity = identity;
    this.#terms = terms;
    this.#fans = fans;
    this.#outbox = new Outbox(terms.buffer);
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

  /** The client is gone. Idempotent. */
  abandon(): void {
    this.#stop();
    this.#outbox.discard();
  }

  /** The server ends it: what waits is still sent, and the client comes back after `retryMs`. Idempotent. */
  end(retryMs?: number): void {
    if (this.#isEnded) return;
    if (retryMs !== undefined) this.#outbox.put(this.#terms.format.retry(retryMs));
    this.#stop();
    this.#outbox.end();
  }

  /** For good. What waits is not sent: it is not this client's any more. */
  bye(reason: "revoked" | "expired"): void {
    if (this.#isEnded) return;
    this.#stop();
    this.#outbox.clear();
    this.#outbox.put(this.#terms.format.notice({ type: "bye", reason }, ""));
    this.#outbox.end();
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
    const cursor = given ?? this.#terms.cursors.get(subscription);
    if (this.#isEnded || this.#subscriptions.has(subscription)) return;
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
  sweep(now: number, { sweepMs, heartbeatMs, stallMs }: SweepTerms): void {
    const { puts, takes, isEmpty } = this.#outbox;
    if (puts !== this.#puts) [this.#puts, this.#putAt] = [puts, now];
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
      // Its cursor stays: a client that comes back is not to see it again.
      if (!signal.aborted) this.#subscriptions.delete(subscription);
    } catch (error) {
      if (signal.aborted) return;
      this.#terms.onError(error);
      // It comes back with its cursors: what cannot be read here and now may be then.
      this.end();
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
        if (at !== undefined) this.#cursors.set(subscription, at);
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
    if (this.#terms.onSlow === "close") return this.end();
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

  #stop(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const stop of this.#subscriptions.values()) stop.abort();
    this.#terms.onEnd(this);
  }
}
