/** What is held, as the suite sees it: each kind with one way to hold it. */
import type { Mode } from "./entry.ts";
import type { Lease } from "./recorder.ts";

type Ended = Promise<{ readonly status: "ok" | "expired" | "stolen" | "missing" }>;

export interface Held extends Lease {
  /** Undefined where there is none. */
  readonly fence?: number | undefined;
  /** Read only where the hold is handed on. */
  readonly token?: string;
  release(): Ended;
  extend?(): Ended;
  downgrade?(): Promise<unknown>;
  upgrade?(options: { readonly wait: "2s" }): Promise<{ readonly fence: number }>;
}

export interface Wanted {
  readonly owner?: string;
  readonly weight?: number;
  readonly mode?: Mode;
}

/** Rejects when it was not to be had within a few seconds. */
export type Acquire = (name: string, wanted: Wanted) => Promise<Held>;

export interface Subject {
  readonly lock: Acquire;
  readonly semaphore: Acquire;
  readonly rwlock: Acquire;
  readonly election: Acquire;
}
