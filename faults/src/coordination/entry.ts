/** What the processes are asked to do, and what they write down about it. Times are `ticks()`. */

export type Mode = "read" | "write" | "upgradable";

/** `on`: the kind and name of what it is about, as `lock:a`. A hold is known by the call that acquired it. */
export type Asked =
  | {
      readonly do: "acquire";
      readonly on: string;
      readonly owner?: string;
      /** Of a semaphore: how many permits. */
      readonly weight?: number;
      /** Of a read-write lock. */
      readonly mode?: Mode;
    }
  | {
      readonly do: "release" | "extend" | "downgrade" | "upgrade" | "leave";
      readonly on: string;
      readonly hold: string;
    }
  | { readonly do: "resume"; readonly on: string; readonly hold: string }
  | { readonly do: "force" | "enter" | "wait" | "reset"; readonly on: string }
  | { readonly do: "count"; readonly on: string; readonly id: string };

export interface Result {
  /** `failed`: it was rejected, and what it has done is not known. */
  readonly status: "ok" | "busy" | "missing" | "expired" | "stolen" | "broken" | "failed";
  readonly fence?: number | undefined;
  /** Of a lock that was released by force: the fence from then on. */
  readonly raisedTo?: number;
  readonly round?: number;
  /** Of a latch: how many are still to count down. */
  readonly remaining?: number;
}

export type Entry =
  | { readonly what: "called"; readonly at: number; readonly call: string; readonly asked: Asked }
  | { readonly what: "answered"; readonly at: number; readonly call: string; readonly result: Result }
  /** What a holder knew of its hold at one moment between the two. */
  | {
      readonly what: "believed";
      readonly hold: string;
      readonly from: number;
      readonly to: number;
      readonly held: boolean;
      readonly aborted: boolean;
      readonly remainingMs: number;
    }
  /** The guarded resource has refused a write of this hold's fence. */
  | { readonly what: "refused"; readonly hold: string; readonly at: number }
  | { readonly what: "observed"; readonly on: string; readonly term: number; readonly leader: string };

export interface CoordinationConfig {
  readonly url: string;
  readonly prefix: string;
  readonly name: string;
  readonly subject: SubjectName;
  readonly seed: number;
  readonly ttlMs: number;
}

/** `coordination` is ours; the other is what somebody might write, and shows that the suite finds what is wrong with it. */
export const SUBJECTS = ["coordination", "by-hand"] as const;
export type SubjectName = (typeof SUBJECTS)[number];

export const PERMITS = 3;
export const PARTIES = 3;
/** How long one waits for the others of a barrier. */
export const ENTER_MS = 3_000;
export const COUNT = 3;

/** What a process asks the guarded resource for, which its parent has. */
export type ResourceAsked =
  | { readonly ask: "read"; readonly id: number; readonly on: string; readonly fence: number | undefined }
  | {
      readonly ask: "write";
      readonly id: number;
      readonly on: string;
      readonly fence: number | undefined;
      readonly value: number;
    }
  /** Leaves a token for another process, or takes one. */
  | { readonly ask: "hand"; readonly id: number; readonly on: string; readonly hold: string; readonly token: string }
  | { readonly ask: "take"; readonly id: number; readonly on: string };

export interface ResourceAnswer {
  readonly id: number;
  readonly status: "ok" | "refused";
  readonly value?: number;
  readonly hold?: string;
  readonly token?: string;
}
