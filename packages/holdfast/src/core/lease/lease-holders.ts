/** All leases that one handle holds or waits for: lost, released and ended with it. */
import { Door } from "../../base/door.ts";
import { ClosedError, HoldfastError, isOutage } from "../../base/errors.ts";
import { nextTick, type Runtime } from "../../base/runtime.ts";
import type { Wakeups } from "../wait/wakeups.ts";
import { Acquisition } from "./acquisition.ts";
import { Patience } from "./patience.ts";
import type { AcquireRequest, Busy, Granted, LeaseRequest, RequestTerms, Waiting } from "./request.ts";
import { TimedLease, usableMs } from "./timed-lease.ts";

/** What a handle has for its leases. */
export interface LeaseHome {
  readonly driver: { readonly runtime: Runtime };
  readonly wakeups: Pick<Wakeups, "join">;
  own(resource: { close(): Promise<void> }): () => void;
}

/** A grant with the lease that keeps it. */
export interface Held<G> {
  readonly grant: G;
  readonly lease: TimedLease;
}

/** A `run` whose body runs. */
interface Run {
  /** What it holds as messages name it. */
  readonly labels: readonly string[];
  readonly held: { readonly held: boolean };
  readonly door: Door;
}

export class LeaseHolders {
  readonly #home: LeaseHome;
  /** Each with what it is of, as messages name it. */
  readonly #held = new Map<TimedLease, string>();
  readonly #runs = new Set<Run>();
  /** How many stand in the queue for what messages name so. */
  readonly #awaited = new Map<string, number>();
  /** Those without a lease yet, with the deadline of their requests. */
  readonly #asking = new Map<Pick<AcquireRequest<never>, "abandon">, number>();
  #closed = false;

  constructor(home: LeaseHome) {
    this.#home = home;
    home.own(this);
  }

  /** Waits until the request is granted. @throws what `Acquisition.wait` throws */
  async acquire<G extends { readonly status: "acquired" }>(
    request: LeaseRequest<G>,
    terms: RequestTerms,
    waiting: Waiting,
  ): Promise<Held<G>> {
    this.#refuseClosed(request);
    this.#asking.set(request, terms.timeoutMs);
    try {
      const { runtime } = this.#home.driver;
      const since = runtime.now();
      // Others of this process stand in the queue for the same: then it cannot be free.
      const isAwaited = waiting.waitMs > 0 && this.#awaited.has(request.label);
      // What is free is granted without all that waiting needs.
      const asksFirst = !isAwaited && waiting.signal === undefined && waiting.waitMs >= terms.timeoutMs;
      if (asksFirst) {
        try {
          const answer = await request.attempt(undefined, { timeoutMs: terms.timeoutMs });
          if (answer.status === "acquired" && runtime.now() < since + usableMs(terms.ttlMs))
            return this.#hold(request, terms, answer, since);
        } catch (error) {
          // The next attempt has the same token, so it finds what an answer that was lost has said.
          if (!isOutage(error)) throw new Acquisition(request, terms, runtime).takeBack(error);
        }
      }
      const grant = await this.#wait(request, terms, waiting, { since, asked: asksFirst || isAwaited });
      return this.#hold(request, terms, grant, grant.grantedAt);
    } finally {
      this.#asking.delete(request);
    }
  }

  /** Waits until the request is granted, for a lease that is held already. */
  async wait<G extends { readonly status: "acquired" }>(
    request: AcquireRequest<G>,
    terms: RequestTerms,
    waiting: Waiting,
  ): Promise<Granted<G>> {
    this.#refuseClosed(request);
    return this.#wait(request, terms, waiting, { since: this.#home.driver.runtime.now(), asked: false });
  }

  /** Asks once. @param timeoutMs deadline of the question */
  async tryAcquire<G extends { readonly status: "acquired" }>(
    request: LeaseRequest<G>,
    terms: RequestTerms,
    timeoutMs: number = terms.timeoutMs,
  ): Promise<Held<G> | Busy> {
    this.#refuseClosed(request);
    this.#asking.set(request, terms.timeoutMs);
    try {
      const answer = await new Acquisition(request, { ...terms, timeoutMs }, this.#home.driver.runtime).once();
      return answer.status === "busy" ? answer : this.#hold(request, terms, answer, answer.grantedAt);
    } finally {
      this.#asking.delete(request);
    }
  }

  /** Whether any `run` is going on, whose body could want more of what it holds. */
  get hasRuns(): boolean {
    return this.#runs.size > 0;
  }

  /** Runs `body`, which is known from then on to be inside a `run` of what `label` names, one thing or several. */
  async runInside<R>(label: string | readonly string[], held: Run["held"], body: () => R | Promise<R>): Promise<R> {
    const run = { labels: [label].flat(), held, door: new Door() };
    this.#runs.add(run);
    try {
      return await run.door.enter(body);
    } finally {
      this.#runs.delete(run);
    }
  }

  /**
   * @param mayNest says of what the caller holds whether it may wait for more of the same
   * @throws HoldfastError if the caller is in a `run` of the very thing that it wants to wait for
   */
  refuseNested(
    { name, label, op, advice }: { name: string; label: string; op: string; advice: string },
    mayNest: (held: unknown) => boolean = () => false,
  ): void {
    for (const run of this.#runs) {
      if (!run.labels.includes(label) || !run.held.held || mayNest(run.held) || !run.door.isCaller) continue;
      throw new HoldfastError("CONFLICT", `${label}: this code would wait for itself, ${advice}`, { op, key: name });
    }
  }

  /** Aborts the signal of every holder, releases what it holds, and ends all waiting. */
  async close(): Promise<void> {
    this.#closed = true;
    // Behind the requests on their way, also those that wait to be merged: their answers come too late to be taken back.
    nextTick(() => {
      for (const [request, timeoutMs] of this.#asking) void request.abandon(timeoutMs);
    });
    await Promise.all([...this.#held.keys()].map((lease) => lease.close()));
  }

  async #wait<G extends { readonly status: "acquired" }>(
    request: AcquireRequest<G>,
    terms: RequestTerms,
    { waitMs, signal }: Waiting,
    { since, asked }: { readonly since: number; readonly asked: boolean },
  ): Promise<Granted<G>> {
    const { runtime } = this.#home.driver;
    const { name, label, op } = request;
    const patience = new Patience({
      runtime,
      name,
      label,
      op,
      waitMs,
      since,
      signal,
      isClosed: () => this.#closed,
      inVain: () => request.inVain(waitMs, [...this.#held.values()].includes(label)),
    });
    this.#awaited.set(label, (this.#awaited.get(label) ?? 0) + 1);
    try {
      return await new Acquisition(request, terms, runtime).wait(this.#home.wakeups, patience, asked);
    } finally {
      const others = this.#awaited.get(label)! - 1;
      if (others === 0) this.#awaited.delete(label);
      else this.#awaited.set(label, others);
    }
  }

  /** @throws ClosedError if the handle was closed meanwhile; the grant is taken back */
  #hold<G extends { readonly status: "acquired" }>(
    request: LeaseRequest<G>,
    terms: RequestTerms,
    grant: G,
    grantedAt: number,
  ): Held<G> {
    if (this.#closed) void request.abandon(terms.timeoutMs);
    this.#refuseClosed(request);
    const { label } = request;
    const { runtime } = this.#home.driver;
    const forget = (): void => void this.#held.delete(lease);
    const lease = new TimedLease(runtime, request, { ...terms, label }, grantedAt, forget);
    this.#held.set(lease, label);
    return { grant, lease };
  }

  #refuseClosed({ name, op }: Pick<LeaseRequest<never>, "name" | "op">): void {
    if (this.#closed) throw new ClosedError(undefined, { op, key: name });
  }
}
