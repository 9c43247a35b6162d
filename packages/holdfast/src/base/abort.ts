/**
 * One listener per AbortSignal, shared by all that follow it. A signal is often that of a whole request with many
 * calls at a time: a listener for each would cost more than the call, and Node warns of a leak beyond ten of them.
 */
import { InvalidArgumentError } from "./errors.ts";

export interface Abortable {
  abort(reason: unknown): void;
}

class AbortWatch {
  readonly followers = new Set<Abortable>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this);
  }

  handleEvent(): void {
    for (const follower of this.followers) follower.abort(this.#signal.reason);
  }

  end(): void {
    this.#signal.removeEventListener("abort", this);
  }
}

const watches = new WeakMap<AbortSignal, AbortWatch>();

/** `follower.abort` is called when the signal fires, unless `unfollow` came first. */
export function follow(signal: AbortSignal, follower: Abortable): void {
  let watch = watches.get(signal);
  if (watch === undefined) {
    watch = new AbortWatch(signal);
    watches.set(signal, watch);
  }
  watch.followers.add(follower);
}

/** The last one to leave stops the listening. */
export function unfollow(signal: AbortSignal, follower: Abortable): void {
  const watch = watches.get(signal);
  if (watch === undefined || !watch.followers.delete(follower) || watch.followers.size > 0) return;
  watches.delete(signal);
  watch.end();
}

/**
 * Calls `abort` when the signal fires; a signal that has fired already is the caller's to look at.
 * Returns the function that stops following. Without a signal nothing happens.
 */
export function onAbort(signal: AbortSignal | undefined, abort: (reason: unknown) => void): () => void {
  if (signal === undefined) return nothing;
  const follower: Abortable = { abort };
  follow(signal, follower);
  return () => unfollow(signal, follower);
}

/** An option `signal`, checked by its shape: a signal of another realm is no instance of this one's class. */
export function checkSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const { aborted, addEventListener } = Object(signal) as Partial<AbortSignal>;
  if (typeof aborted === "boolean" && typeof addEventListener === "function") return signal;
  throw new InvalidArgumentError("signal", "an AbortSignal", signal);
}

function nothing(): void {}
