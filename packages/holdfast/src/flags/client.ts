/** Flags as one process knows them: evaluated in memory, kept up to date in the background. */
import { Deferred } from "../base/deferred.ts";
import { ClosedError, InvalidArgumentError, kindGiven } from "../base/errors.ts";
import { inform } from "../base/inform.ts";
import type { Core } from "../core/core.ts";
import { Reports } from "../core/observe/reports.ts";
import { Pause } from "../core/retry/pause.ts";
import { Follower } from "../core/wait/follower.ts";
import { checkDefinition, type FlagValue, typeOf } from "./definition.ts";
import {
  CompiledFlag,
  type Decision,
  type FlagContext,
  type FlagErrorCode,
  type FlagEvaluation,
} from "./evaluation.ts";
import type { FlagsClientOptions } from "./options.ts";
import type { FlagsStore } from "./store.ts";
import { type FlagsState, FlagsWatcher } from "./watcher.ts";

interface Known {
  readonly version: number;
  /** Undefined where it cannot be read. */
  readonly flag: CompiledFlag | undefined;
}

/** What has changed: `flags` are the names of those that were set or deleted. */
export interface FlagsChange {
  readonly flags: readonly string[];
  readonly stale: boolean;
}

/** `false` and `true` are of one type, as are texts and numbers. */
export type FlagOf<V extends FlagValue> = V extends boolean
  ? boolean
  : V extends number
    ? number
    : V extends string
      ? string
      : V;

const EMPTY: FlagContext = {};

/**
 * @example
 * await using live = flags.client();
 * await live.ready();
 * if (live.value("new-checkout", false, { targetingKey: user.id, country: user.country })) ...
 */
export class FlagsClient implements AsyncDisposable {
  readonly #core: Core;
  readonly #store: FlagsStore;
  readonly #label: string;
  readonly #reports: Reports<never, never>;
  readonly #stop = new AbortController();
  readonly #ready = new Deferred<void>();
  readonly #listeners = new Set<(change: FlagsChange) => unknown>();
  readonly #disown: () => void;
  readonly #following: Promise<void>;
  #known = new Map<string, Known>();
  #isReady = false;
  #isStale = true;

  constructor(core: Core, store: FlagsStore, label: string, { bootstrap = {}, onError }: FlagsClientOptions) {
    this.#core = core;
    this.#store = store;
    this.#label = label;
    this.#reports = new Reports(label, "HOLDFAST_FLAGS", { onError });
    this.#ready.promise.catch(() => undefined);
    for (const [name, flag] of Object.entries(bootstrap))
      if (flag !== undefined) this.#known.set(name, { version: 0, flag: new CompiledFlag(name, flag) });
    this.#disown = core.own(this);
    this.#following = this.#follow();
  }

  /** Resolves once the flags are known; while the server is away it waits. @throws ClosedError when it was closed before; what the server refuses */
  ready(): Promise<void> {
    return this.#isReady ? Promise.resolve() : this.#ready.promise;
  }

  /** Whether the server may have newer flags: it is away, or has not been reached yet. */
  get stale(): boolean {
    return this.#isStale;
  }

  /** Of all flags that are known. */
  get names(): readonly string[] {
    return [...this.#known.keys()];
  }

  /**
   * Returns the value that the flag has in this context; `fallback` where there is no such flag, or none of its type. An object is the same one
   * for all calls: do not change it. No I/O.
   */
  value<V extends FlagValue>(flag: string, fallback: V, context?: FlagContext): FlagOf<V> {
    return this.evaluate(flag, fallback, context).value;
  }

  /** As `value`, with the reason. No I/O; it never throws for what the server or the context holds. */
  evaluate<V extends FlagValue>(flag: string, fallback: V, context: FlagContext = EMPTY): FlagEvaluation<FlagOf<V>> {
    const type = typeOf(fallback);
    if (type === undefined)
      throw new InvalidArgumentError("fallback", "a boolean, a number, a text or an object", kindGiven(fallback), {
        where: this.#label,
      });
    const made = this.#evaluate(flag, context);
    if (made.variant === undefined) return { ...made, value: fallback as unknown as FlagOf<V> };
    if (typeOf(made.value) === type) return made as FlagEvaluation<FlagOf<V>>;
    const message = `flag ${JSON.stringify(flag)} is of type ${typeOf(made.value)}, and was asked for as ${type}`;
    return { ...failure("TYPE_MISMATCH", message, made.version), value: fallback as unknown as FlagOf<V> };
  }

  /** Evaluates all flags for one context: for a page that is rendered with them. No I/O. Those without a value are left out. */
  all(context: FlagContext = EMPTY): Map<string, FlagEvaluation<FlagValue>> {
    const all = new Map<string, FlagEvaluation<FlagValue>>();
    for (const name of this.#known.keys()) {
      const made = this.#evaluate(name, context);
      if (made.variant !== undefined) all.set(name, made as FlagEvaluation<FlagValue>);
    }
    return all;
  }

  /** Calls `listener` when flags have changed, or have become stale, or are known again. Returns the function that stops it. */
  onChange(listener: (change: FlagsChange) => unknown): () => void {
    if (typeof listener !== "function")
      throw new InvalidArgumentError("listener", "a function", listener, { where: this.#label });
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Follows no more; what is known stays. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#ready.reject(new ClosedError(`flags ${JSON.stringify(this.#store.name)}: this client was closed`));
    this.#disown();
    await this.#following;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #evaluate(name: string, context: FlagContext): FlagEvaluation<FlagValue | undefined> {
    const known = this.#known.get(name);
    if (known === undefined) {
      const message = `there is no flag ${JSON.stringify(name)}`;
      return this.#isReady
        ? failure("FLAG_NOT_FOUND", message)
        : failure("PROVIDER_NOT_READY", "the flags were not read yet");
    }
    const { flag, version } = known;
    if (flag === undefined) return failure("PARSE_ERROR", `flag ${JSON.stringify(name)} cannot be read`, version);
    const decision = decided(flag, context);
    if ("errorCode" in decision) return failure(decision.errorCode, decision.errorMessage, version);
    const isServed = "variant" in decision;
    return {
      value: isServed ? decision.value : undefined,
      variant: isServed ? decision.variant : undefined,
      reason: isServed && this.#isStale ? "STALE" : decision.reason,
      version,
      rule: isServed ? decision.rule : undefined,
      errorCode: undefined,
      errorMessage: undefined,
    };
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    const pause = new Pause(this.#core.driver.runtime, signal);
    // Of all attempts: what was seen before an error is not forgotten by it.
    const watcher = new FlagsWatcher(this.#store);
    while (!signal.aborted) {
      try {
        const states = new Follower(this.#core, watcher, signal);
        for await (const state of states) this.#apply(state);
        // The handle has ended.
        break;
      } catch (error) {
        this.#ready.reject(error);
        this.#reports.error(error);
        watcher.unknown();
        this.#tell([], true);
        await pause.next();
      }
    }
    this.#ready.reject(new ClosedError());
    this.#isStale = true;
  }

  #apply({ flags, isStale }: FlagsState): void {
    const changed: string[] = [];
    const known = new Map<string, Known>();
    for (const [name, stored] of flags) {
      const before = this.#known.get(name);
      if (before?.version === stored.version) {
        known.set(name, before);
        continue;
      }
      changed.push(name);
      known.set(name, { version: stored.version, flag: this.#read(name, stored) });
    }
    for (const name of this.#known.keys()) if (!known.has(name)) changed.push(name);
    this.#known = known;
    this.#isReady = true;
    this.#ready.resolve();
    this.#tell(changed, isStale);
  }

  /** Of a newer version of this library it may be what this one does not know. */
  #read(name: string, stored: { readonly version: number; readonly bytes: Buffer }): CompiledFlag | undefined {
    try {
      return new CompiledFlag(name, checkDefinition(this.#store.decode(stored)));
    } catch (error) {
      this.#reports.error(new Error(`flag ${JSON.stringify(name)} cannot be read`, { cause: error }));
      return undefined;
    }
  }

  #tell(flags: readonly string[], stale: boolean): void {
    const isNews = flags.length > 0 || stale !== this.#isStale;
    this.#isStale = stale;
    if (!isNews) return;
    for (const listener of this.#listeners)
      inform(
        () => listener({ flags, stale }),
        (error) => this.#reports.error(error),
      );
  }
}

/** A context may hold what throws when it is read, or be none. */
function decided(flag: CompiledFlag, context: FlagContext): Decision {
  try {
    return flag.decide(context);
  } catch (error) {
    const errorMessage = `the context cannot be read: ${error instanceof Error ? error.message : typeof error}`;
    return { reason: "ERROR", errorCode: "INVALID_CONTEXT", errorMessage };
  }
}

function failure(errorCode: FlagErrorCode, errorMessage: string, version = 0): FlagEvaluation<undefined> {
  return { value: undefined, variant: undefined, reason: "ERROR", version, rule: undefined, errorCode, errorMessage };
}
