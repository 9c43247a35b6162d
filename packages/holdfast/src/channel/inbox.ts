/**
 * What has come in and is not consumed yet: messages, and between them the places where some are missing.
 *
 * It never holds more than `capacity` messages and one gap before each: what is missing at one place is one gap,
 * however often and for whatever reason something was lost there.
 */
import type { HoldfastError } from "../base/errors.ts";
import type { ChannelGap, ChannelOverflow } from "./options.ts";

export type Item<M> =
  | { readonly kind: "message"; readonly message: M }
  | { readonly kind: "gap"; readonly gap: ChannelGap }
  /** Always the last. */
  | { readonly kind: "failure"; readonly error: HoldfastError };

interface Entry<M> {
  readonly message: M;
  /** What is missing before this message. */
  gap: ChannelGap | undefined;
  next: Entry<M> | undefined;
}

const ONE_DROPPED: ChannelGap = { dropped: 1, disconnected: false, cause: undefined };

export class Inbox<M> {
  readonly #capacity: number;
  readonly #policy: ChannelOverflow;
  #oldest: Entry<M> | undefined;
  #newest: Entry<M> | undefined;
  #size = 0;
  /** What is missing after the newest message. */
  #gap: ChannelGap | undefined;
  #failure: HoldfastError | undefined;

  constructor(capacity: number, policy: ChannelOverflow) {
    this.#capacity = capacity;
    this.#policy = policy;
  }

  /** False where the policy is `error` and there is no room: the message was not taken. */
  put(message: M): boolean {
    if (this.#failure !== undefined) return true;
    if (this.#size < this.#capacity) {
      this.#append(message);
    } else if (this.#policy === "drop-oldest") {
      this.#dropOldest();
      this.#append(message);
    } else if (this.#policy === "drop-newest") {
      this.#gap = merged(this.#gap, ONE_DROPPED);
    } else {
      return false;
    }
    return true;
  }

  disconnected(cause: unknown): void {
    this.#gap = merged(this.#gap, { dropped: 0, disconnected: true, cause });
  }

  /** Comes after all that is in it; nothing is taken in any more. */
  fail(error: HoldfastError): void {
    this.#failure = error;
  }

  take(): Item<M> | undefined {
    const entry = this.#oldest;
    const gap = entry === undefined ? this.#gap : entry.gap;
    if (gap !== undefined) {
      this.#setFirstGap(undefined);
      return { kind: "gap", gap };
    }
    if (entry !== undefined) {
      this.#unlinkOldest(entry);
      return { kind: "message", message: entry.message };
    }
    if (this.#failure === undefined) return undefined;
    const error = this.#failure;
    this.#failure = undefined;
    return { kind: "failure", error };
  }

  clear(): void {
    this.#oldest = this.#newest = this.#gap = this.#failure = undefined;
    this.#size = 0;
  }

  #append(message: M): void {
    const entry: Entry<M> = { message, gap: this.#gap, next: undefined };
    this.#gap = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.next = entry;
    this.#newest = entry;
    this.#size += 1;
  }

  #dropOldest(): void {
    const entry = this.#oldest!;
    this.#unlinkOldest(entry);
    const following = this.#oldest === undefined ? this.#gap : this.#oldest.gap;
    this.#setFirstGap(merged(merged(entry.gap, ONE_DROPPED), following));
  }

  #unlinkOldest(entry: Entry<M>): void {
    this.#oldest = entry.next;
    if (entry.next === undefined) this.#newest = undefined;
    this.#size -= 1;
  }

  /** The gap before the oldest message; where there is none, the one before what comes next. */
  #setFirstGap(gap: ChannelGap | undefined): void {
    if (this.#oldest === undefined) this.#gap = gap;
    else this.#oldest.gap = gap;
  }
}

function merged(earlier: ChannelGap | undefined, later: ChannelGap | undefined): ChannelGap | undefined {
  if (earlier === undefined || later === undefined) return earlier ?? later;
  return {
    dropped: earlier.dropped + later.dropped,
    disconnected: earlier.disconnected || later.disconnected,
    cause: later.cause ?? earlier.cause,
  };
}
