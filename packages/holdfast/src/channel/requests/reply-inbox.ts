/** Where replies arrive: one subscription for all requests of a handle. */
import { ClosedError, HoldfastError } from "../../base/errors.ts";
import type { Core } from "../../core/core.ts";
import type { Call, Subscription } from "../../driver/port.ts";
import { readReply, type ReplyFrame } from "./frames.ts";

/** Requests of one handle that may wait for their replies. */
export const MAX_PENDING = 10_000;

const CALL: Call = { op: "channel.request", class: "idempotent" };

export interface Pending {
  /** Called once at most. */
  replied(frame: ReplyFrame): void;
  closed(): void;
}

const inboxes = new WeakMap<Core, ReplyInbox>();

export function replyInbox(core: Core): ReplyInbox {
  let inbox = inboxes.get(core);
  if (inbox === undefined) {
    inbox = new ReplyInbox(core);
    inboxes.set(core, inbox);
  }
  return inbox;
}

export class ReplyInbox {
  readonly id: string;
  readonly #core: Core;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  #subscription: Promise<Subscription> | undefined;
  #isOpen = false;
  #isClosed = false;

  constructor(core: Core) {
    this.#core = core;
    this.id = core.driver.runtime.randomBytes(12).toString("base64url");
    core.own(this);
  }

  /** Of the next request. @throws HoldfastError OVERLOADED where too many wait, ClosedError */
  add(pending: Pending, call: Pick<Call, "op" | "key">): number {
    if (this.#isClosed) throw new ClosedError(undefined, call);
    if (this.#pending.size >= MAX_PENDING)
      throw new HoldfastError("OVERLOADED", `${MAX_PENDING} requests of this handle wait for their replies`, {
        ...call,
        retryable: true,
      });
    this.#last += 1;
    this.#pending.set(this.#last, pending);
    return this.#last;
  }

  /** Whatever comes for it now is dropped. */
  remove(number: number): void {
    this.#pending.delete(number);
  }

  /** Resolves once replies can arrive; undefined where they can already. Cost: one SSUBSCRIBE per handle, ever. */
  open(): Promise<unknown> | undefined {
    if (this.#isOpen) return undefined;
    this.#subscription ??= this.#subscribe();
    return this.#subscription;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const pending of this.#pending.values()) pending.closed();
    this.#pending.clear();
    const subscription = await this.#subscription?.catch(() => undefined);
    await subscription?.close().catch(() => undefined);
  }

  async #subscribe(): Promise<Subscription> {
    const channel = this.#core.keys.group("inbox", this.id).key;
    // What is lost with the connection nobody knows of: those who wait do so until their deadlines.
    const listener = { message: (bytes: Buffer) => this.#receive(bytes), gap: () => undefined };
    try {
      const subscription = await this.#core.driver.subscribe("sharded", channel, listener, CALL);
      this.#isOpen = true;
      return subscription;
    } catch (error) {
      this.#subscription = undefined;
      throw error;
    }
  }

  #receive(bytes: Buffer): void {
    const frame = readReply(bytes);
    if (frame === undefined) return;
    const pending = this.#pending.get(frame.number);
    this.#pending.delete(frame.number);
    pending?.replied(frame);
  }
}
