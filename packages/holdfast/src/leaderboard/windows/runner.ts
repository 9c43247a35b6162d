/** Whoever is told of closed periods: one process for each, again and again, until it is closed. */
import { checkSignal, onAbort } from "../../base/abort.ts";
import { Door } from "../../base/door.ts";
import { ClosedError, InvalidArgumentError, isOutage } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toTimerMs } from "../../base/options.ts";
import { sleep, type Timer, within } from "../../base/runtime.ts";
import type { Core } from "../../core/core.ts";
import { Reports } from "../../core/observe/reports.ts";
import type { Claimed, Closings, LeaderboardClosing } from "./closing.ts";

export interface LeaderboardClosedOptions {
  /** How long another process waits with a closing when this one has died; renewed at each third of it. @default "60s" */
  readonly lease?: Duration;
  /** After which time a closing whose handler threw is handed out again. @default "10s" */
  readonly retry?: Duration;
  /** The longest time between two looks; a period's end is looked for as it comes. @default "30s" */
  readonly poll?: Duration;
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** Called with what the handler throws, and with failures other than outages. @default emitted as a process warning */
  readonly onError?: (error: unknown) => void;
}

/** Is told of a closed period, at least once; when it has resolved, nobody else is, unless its process dies before the server knows. */
export type LeaderboardClosedHandler<Meta> = (closing: LeaderboardClosing<Meta>) => unknown;

const NAMES: OptionNames<LeaderboardClosedOptions> = {
  lease: true,
  retry: true,
  poll: true,
  signal: true,
  onError: true,
};
const MIN_LEASE_MS = 1_000;
/** How long `close()` waits for the handler. */
const CLOSE_MS = 30_000;

export class LeaderboardClosings<Meta = unknown> implements AsyncDisposable {
  readonly #core: Core;
  readonly #closings: Closings<Meta>;
  readonly #handler: LeaderboardClosedHandler<Meta>;
  readonly #stop = new AbortController();
  readonly #door: Door;
  readonly #disown: () => void;
  readonly #unfollow: () => void;
  readonly #ended: Promise<void>;
  readonly #times: { readonly leaseMs: number; readonly retryMs: number; readonly pollMs: number };
  readonly #reports: Reports<never, never>;
  #renewal: Timer | undefined;
  /** Whose handler has ended, and of which the server is still to hear. */
  readonly #handled = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(
    core: Core,
    where: string,
    closings: Closings<Meta>,
    handler: LeaderboardClosedHandler<Meta>,
    options: LeaderboardClosedOptions | undefined,
  ) {
    if (typeof handler !== "function") throw new InvalidArgumentError("handler", "a function", handler);
    const { lease = "60s", retry = "10s", poll = "30s", signal, onError } = givenOptions(options, NAMES);
    if (onError !== undefined && typeof onError !== "function")
      throw new InvalidArgumentError("onError", "a function", onError);
    this.#times = {
      leaseMs: toTimerMs("lease", lease, MIN_LEASE_MS),
      retryMs: toTimerMs("retry", retry),
      pollMs: toTimerMs("poll", poll),
    };
    checkSignal(signal);
    if (core.isClosing) throw new ClosedError(undefined, { op: "leaderboard.onClosed" });
    this.#core = core;
    this.#closings = closings;
    this.#handler = handler;
    this.#reports = new Reports(`${where}: onClosed`, "HOLDFAST_LEADERBOARD", { onError });
    this.#door = new Door(core.handlers);
    this.#disown = core.own(this);
    this.#unfollow = onAbort(signal, () => void this.close());
    this.#ended = signal?.aborted === true ? Promise.resolve() : this.#run();
    if (signal?.aborted === true) void this.close();
  }

  /** Ends it; waits at most 30 s for the handler that runs, after which another process may be told. Idempotent; never rejects. For the handler itself it resolves at once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#door.waiting(this.#closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    await within(this.#core.driver.runtime, CLOSE_MS, this.#ended);
    // A handler that has not ended by then is given up: another process is told when the lease is over.
    this.#core.driver.runtime.clearInterval(this.#renewal);
    this.#unfollow();
    this.#disown();
  }

  async #run(): Promise<void> {
    const { runtime } = this.#core.driver;
    while (!this.#stop.signal.aborted) {
      let pauseMs = this.#times.pollMs;
      try {
        await this.#closings.closePast();
        if (!(await this.#tellAll())) pauseMs = Math.min(this.#times.retryMs, pauseMs);
        // A moment later, so that it is over by the server's clock as well.
        pauseMs = Math.min((await this.#closings.nextEnd()) + 10 + 100 * runtime.random(), pauseMs);
      } catch (error) {
        if (!isOutage(error) && !this.#stop.signal.aborted) this.#reports.error(error);
      }
      await sleep(runtime, Math.max(pauseMs, 10), this.#stop.signal);
    }
  }

  /** Whether no handler threw. */
  async #tellAll(): Promise<boolean> {
    let succeeded = true;
    while (!this.#stop.signal.aborted) {
      const claimed = await this.#closings.claim(this.#times.leaseMs);
      if (claimed === undefined) break;
      succeeded = (await this.#tell(claimed)) && succeeded;
    }
    return succeeded;
  }

  async #tell({ member, closing }: Claimed<Meta>): Promise<boolean> {
    if (this.#handled.has(member)) return this.#told(member);
    const { runtime } = this.#core.driver;
    const { leaseMs, retryMs } = this.#times;
    // A renewal that fails is not missed: the next one, or the end, comes before the lease is over.
    this.#renewal = runtime.setInterval(() => {
      this.#closings.hold(member, leaseMs).catch(() => undefined);
    }, leaseMs / 3);
    try {
      await this.#door.enter(() => this.#handler(closing));
    } catch (error) {
      this.#reports.error(error);
      await this.#closings.hold(member, retryMs);
      return false;
    } finally {
      runtime.clearInterval(this.#renewal);
    }
    this.#handled.add(member);
    return this.#told(member);
  }

  async #told(member: string): Promise<true> {
    await this.#closings.told(member);
    this.#handled.delete(member);
    return true;
  }
}
