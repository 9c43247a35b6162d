/** A function that runs in one process of all that want to run it, again and again, until it is called off. */
import { inform } from "../base/inform.ts";
import { Door } from "../base/door.ts";
import { LeaseLostError } from "../base/errors.ts";
import { sleep, within } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import type { Leadership } from "./leadership.ts";
import type { LeadSettings } from "./options.ts";

/** What runs while this process leads. It should end soon once `leadership.signal` has aborted. */
export type ElectionLeading<V> = (leadership: Leadership<V>) => unknown;

/** After a failure, or where the function ended sooner than that, so that nobody spins; before jitter. */
const PAUSE_MS = 1_000;

/** What `lead` returns: candidate, leader, candidate again, until it is closed. */
export class ElectionRunner<V> implements AsyncDisposable {
  readonly #core: Core;
  readonly #label: string;
  readonly #settings: LeadSettings<V>;
  readonly #campaign: (stop: AbortSignal) => Promise<Leadership<V>>;
  readonly #body: ElectionLeading<V>;
  readonly #stop = new AbortController();
  readonly #door: Door;
  readonly #disown: () => void;
  readonly #ended: Promise<void>;
  #closing: Promise<void> | undefined;
  #leadership: Leadership<V> | undefined;

  constructor(
    core: Core,
    label: string,
    settings: LeadSettings<V>,
    campaign: (stop: AbortSignal) => Promise<Leadership<V>>,
    body: ElectionLeading<V>,
  ) {
    this.#core = core;
    this.#label = label;
    this.#settings = settings;
    this.#campaign = campaign;
    this.#body = body;
    this.#door = new Door(core.handlers);
    this.#disown = core.own(this);
    this.#ended = this.#run();
  }

  /** The lead that its function runs under at the moment; undefined while it is a candidate. */
  get leadership(): Leadership<V> | undefined {
    return this.#leadership;
  }

  /**
   * Ends it: the candidacy at once; the lead when the function, whose signal aborts, has ended. Waits for that at most
   * `closeTimeout`. Idempotent; never rejects. For the function itself it resolves at once.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#door.waiting(this.#closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#stop.abort(new LeaseLostError("closed", `${this.#label}: the runner was closed`));
    await within(this.#core.driver.runtime, this.#settings.closeTimeoutMs, this.#ended);
    this.#disown();
  }

  async #run(): Promise<void> {
    const { runtime } = this.#core.driver;
    while (!this.#stop.signal.aborted) {
      const begunAt = runtime.now();
      const failed = await this.#once();
      const isQuick = runtime.now() - begunAt < PAUSE_MS;
      if (failed || isQuick) await sleep(runtime, PAUSE_MS * (0.5 + runtime.random()), this.#stop.signal);
    }
  }

  /** One lead, from the campaign to the resignation. Returns whether something failed. */
  async #once(): Promise<boolean> {
    try {
      const leadership = await this.#campaign(this.#stop.signal);
      this.#leadership = leadership;
      try {
        await this.#door.enter(() => this.#body(leadership));
      } finally {
        // Only now: the next leader begins when this one's work has ended.
        this.#leadership = undefined;
        await leadership[Symbol.asyncDispose]();
      }
      return false;
    } catch (error) {
      if (!this.#isOwnEnd(error)) this.#report(error);
      return true;
    }
  }

  /** What ends because it was called off is no failure. */
  #isOwnEnd(error: unknown): boolean {
    return this.#stop.signal.aborted && (error === this.#stop.signal.reason || isCalledOff(error));
  }

  #report(error: unknown): void {
    const { onError } = this.#settings;
    if (onError === undefined) return this.#warn(error);
    inform(
      () => onError(error),
      (failure) => this.#warn(failure),
    );
  }

  #warn(error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`${this.#label}: ${reason}`, { code: "HOLDFAST_ELECTION" });
  }
}

function isCalledOff(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ABORTED" || error.code === "CLOSED");
}
