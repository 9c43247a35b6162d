/** A room as it changes, for one consumer. One that is slow gets what has changed in sum, not each change. */
import { onAbort } from "../base/abort.ts";
import type { FollowHome } from "../core/wait/follower.ts";
import type { Onlooker, Picture } from "./picture.ts";
import type { Devices } from "./roster.ts";
import type { PresenceStore } from "./store.ts";

export interface PresenceDevice<Meta> {
  readonly device: string;
  /** What it joined with; undefined where it gave none. */
  readonly meta: Meta | undefined;
  /** Milliseconds since 1970 by the server's clock. */
  readonly joinedAt: number;
}

/** A user who is present, by one device or several. */
export interface PresenceMember<Meta> {
  readonly user: string;
  readonly devices: readonly PresenceDevice<Meta>[];
}

/**
 * `snapshot`: who is in the room, first of all. `change`: who has come, with which devices, whose devices or metas are others,
 * and who has gone. `reset`: what happened meanwhile is not known; this is who is in the room now. `stale`: the server cannot be
 * asked; a `reset` follows.
 */
export type PresenceEvent<Meta> =
  | { readonly type: "snapshot" | "reset"; readonly members: readonly PresenceMember<Meta>[] }
  | {
      readonly type: "change";
      readonly joined: readonly PresenceMember<Meta>[];
      readonly updated: readonly PresenceMember<Meta>[];
      readonly left: readonly string[];
    }
  | { readonly type: "stale" };

/** Begins with its first `next()`, and ends without an error at `break`, `close()`, the signal, or the end of the handle. */
export class PresenceWatch<Meta>
  implements AsyncIterableIterator<PresenceEvent<Meta>, undefined, undefined>, AsyncDisposable, Onlooker
{
  readonly #store: PresenceStore<Meta>;
  readonly #ends: readonly (() => void)[];
  readonly #open: () => Picture;
  #picture: Picture | undefined;
  /** Calls of next() that do not wait for each other still get their events in order. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Users whose devices have changed since it last looked, with what they were then. */
  readonly #changed = new Map<string, Devices | undefined>();
  #isFirst = true;
  #isReset = true;
  #isStale: "no" | "new" | "said" = "no";
  #failure: { readonly error: unknown } | undefined;
  #isClosed = false;
  #resume: (() => void) | undefined;

  constructor(home: FollowHome, store: PresenceStore<Meta>, open: () => Picture, signal: AbortSignal | undefined) {
    this.#store = store;
    this.#open = open;
    const close = (): void => void this.close();
    this.#ends = [home.own(this), onAbort(signal, close)];
    if (signal?.aborted === true || home.isClosing) close();
  }

  /** @throws HoldfastError once, for a failure that is no outage, such as a CodecError; then it is closed */
  next(): Promise<IteratorResult<PresenceEvent<Meta>, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<PresenceEvent<Meta>, undefined>> {
    await this.close();
    return { value: undefined, done: true };
  }

  /** Ends it. Idempotent; never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const end of this.#ends) end();
    this.#picture?.leave(this);
    this.#wake();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  changed(user: string, before: Devices | undefined): void {
    // What it gets whole has these in it.
    if (this.#isReset) return;
    if (!this.#changed.has(user)) this.#changed.set(user, before);
    this.#wake();
  }

  reset(): void {
    this.#isReset = true;
    this.#isStale = "no";
    this.#changed.clear();
    this.#wake();
  }

  stale(): void {
    if (this.#isStale === "no") this.#isStale = "new";
    this.#wake();
  }

  failed(error: unknown): void {
    this.#failure = { error };
    this.#wake();
  }

  async #next(): Promise<IteratorResult<PresenceEvent<Meta>, undefined>> {
    if (this.#picture === undefined && !this.#isClosed) {
      this.#picture = this.#open();
      this.#picture.join(this);
    }
    for (;;) {
      if (this.#isClosed) return { value: undefined, done: true };
      if (this.#failure !== undefined) {
        void this.close();
        throw this.#failure.error;
      }
      const value = this.#take();
      if (value !== undefined) return { value, done: false };
      await new Promise<void>((resolve) => (this.#resume = resolve));
    }
  }

  #take(): PresenceEvent<Meta> | undefined {
    if (this.#isStale === "new") {
      this.#isStale = "said";
      return { type: "stale" };
    }
    const roster = this.#picture?.roster;
    if (roster === undefined) return undefined;
    try {
      if (this.#isReset) {
        const members = [...roster.entries()].map(([user, devices]) => memberOf(this.#store, user, devices));
        const type = this.#isFirst ? "snapshot" : "reset";
        this.#isReset = this.#isFirst = false;
        return { type, members };
      }
      return this.#difference((user) => roster.of(user));
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  #difference(now: (user: string) => Devices | undefined): PresenceEvent<Meta> | undefined {
    const joined: PresenceMember<Meta>[] = [];
    const updated: PresenceMember<Meta>[] = [];
    const left: string[] = [];
    for (const [user, before] of this.#changed) {
      const devices = now(user);
      if (devices === undefined) {
        if (before !== undefined) left.push(user);
      } else if (before === undefined) joined.push(memberOf(this.#store, user, devices));
      else if (!isSame(before, devices)) updated.push(memberOf(this.#store, user, devices));
    }
    this.#changed.clear();
    if (joined.length + updated.length + left.length === 0) return undefined;
    return { type: "change", joined, updated, left };
  }

  #wake(): void {
    this.#resume?.();
    this.#resume = undefined;
  }
}

/** @throws CodecError for a meta that cannot be read */
export function memberOf<Meta>(store: PresenceStore<Meta>, user: string, devices: Devices): PresenceMember<Meta> {
  return {
    user,
    devices: [...devices].map(([device, { joinedAt, meta }]) => ({ device, meta: store.decode(meta), joinedAt })),
  };
}

function isSame(a: Devices, b: Devices): boolean {
  if (a.size !== b.size) return false;
  for (const [device, { joinedAt, meta }] of a) {
    const other = b.get(device);
    if (other === undefined || other.joinedAt !== joinedAt || !other.meta.equals(meta)) return false;
  }
  return true;
}
