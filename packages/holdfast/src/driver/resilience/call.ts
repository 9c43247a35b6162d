/**
 * One call from its first attempt to its outcome.
 *
 *     flying -- reply ----------------------------------> delivered
 *            -- replied (server's final word) ----------> ServerError
 *            -- refused, no connection -----------------> parked ------ `up`, poll --> flying
 *            -- refused by the server ------------------> backing off -- timer ------> flying
 *            -- lost, may be repeated ------------------> parked
 *            -- lost, `unsafe` -------------------------> OutcomeUnknownError
 *     any    -- deadline, abort, close -----------------> see `interrupt`
 *
 * Invariants:
 * - At most one attempt is out at a time, and an `unsafe` call is never attempted again after `lost`.
 * - It settles once, by its deadline, whatever the transport does; a later reply is dropped.
 * - Once an attempt of a write was lost, only a reply can tell what happened: every other end is OutcomeUnknownError.
 *
 * The object is itself the entry of the deadline wheel, so that a call costs no timer, no AbortSignal and no closure
 * of its own: an attempt reports to `replied` or `failed`.
 */
import { type Call, type Route, TransportError } from "../port.ts";
import { type HoldfastError, InvalidArgumentError } from "../../base/errors.ts";
import { type Abortable, follow, unfollow } from "../../base/abort.ts";
import { backoffMs } from "./backoff.ts";
import { type CallContext, nodeOf } from "./context.ts";
import { WheelNode } from "./deadline-wheel.ts";
import { aborted, breakerOpen, closed, outcomeUnknown, overloaded, timedOut, unavailable } from "./failures.ts";
import { serverError } from "./server-errors.ts";

/** Between attempts that a server refused (LOADING, TRYAGAIN ...). */
const BACKOFF = { baseMs: 20, maxMs: 500 };
/** The longest delay that Node's timers know; far beyond any deadline that helps. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const BUDGET_SPENT = "too many calls are being repeated and the retry budget is spent";

type Phase = "flying" | "parked" | "backingOff" | "settled";

export abstract class PendingCall<T> extends WheelNode implements Abortable {
  protected readonly context: CallContext;
  protected readonly spec: Call;
  protected readonly route: Route;
  #phase: Phase = "flying";
  #retries = 0;
  /** An attempt of a write was lost. */
  #mayHaveRun = false;
  #deadlineTick = 0;
  #lastFailure: TransportError | undefined = undefined;

  constructor(context: CallContext, spec: Call, route: Route) {
    super();
    this.context = context;
    this.spec = spec;
    this.route = route;
  }

  /** Starts one attempt, whose outcome goes to `replied` or `failed`. */
  protected abstract attempt(): void;
  protected abstract deliver(value: T): void;
  protected abstract fail(error: HoldfastError): void;

  /** First word of what is sent, for messages. */
  protected abstract get command(): string;

  /** Whether the attempt that is out can have reached the server. */
  protected get sent(): boolean {
    return true;
  }

  /** Whether an attempt that certainly had no effect, or may be repeated by its class, is repeated here. */
  protected get repeatable(): boolean {
    return true;
  }

  /** A chance to answer a failure by another way of saying the same; true when the call is ready for its next attempt. */
  protected recovers(_failure: TransportError): boolean {
    return false;
  }

  /** An attempt of a write was lost, and another follows. */
  protected onRepeat(): void {
    this.spec.onRepeat?.();
  }

  /** The call was ended while an attempt is out: give back what that holds. */
  protected abandon(): void {}

  /** A value came after the call was settled. */
  protected dropLate(_value: T): void {}

  protected get settled(): boolean {
    return this.#phase === "settled";
  }

  begin(timeoutMs: number): void {
    const { context, spec } = this;
    if (context.closing) return this.#refuse(closed(spec));
    if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
      return this.#refuse(
        new InvalidArgumentError("timeoutMs", `1 to ${MAX_TIMEOUT_MS} milliseconds`, timeoutMs, spec),
      );
    }
    if (spec.signal !== undefined) {
      if (spec.signal.aborted) return this.#refuse(aborted(spec, spec.signal.reason));
      follow(spec.signal, this);
    }
    context.budget.deposit();
    context.wheel.add(this, timeoutMs);
    this.#fly();
  }

  /** The waiting room's signal to try again. */
  wake(): void {
    if (this.#phase === "parked") this.#fly();
  }

  /** The wheel's signal: the back-off is over, or the deadline has come. */
  override expire(): void {
    if (this.#phase !== "backingOff") return this.#overdue();
    this.context.waiting.leaveBackoff();
    this.context.wheel.schedule(this, this.#deadlineTick);
    this.#fly();
  }

  /** The caller's signal fired. */
  abort(reason: unknown): void {
    this.#interrupt(aborted(this.spec, reason), reason);
  }

  /** The driver closes and waits no longer. */
  shutDown(): void {
    const error = closed(this.spec, this.#lastFailure);
    this.#interrupt(error, error);
  }

  #fly(): void {
    this.#phase = "flying";
    const { breakers, transport } = this.context;
    if (breakers.watching) {
      const node = nodeOf(transport, this.route);
      const holdMs = breakers.admit(node, this.spec.patienceMs);
      if (holdMs > 0) return this.#giveUp(breakerOpen(this.spec, node, holdMs), this.#lastFailure);
    }
    try {
      this.attempt();
    } catch (error) {
      this.failed(error);
    }
  }

  /** The outcome of the attempt that is out. */
  replied(value: T): void {
    const { breakers, transport, waiting } = this.context;
    // Also when it comes too late: a node that answers is there.
    if (breakers.watching) breakers.clear(nodeOf(transport, this.route));
    if (this.#phase === "settled") return this.dropLate(value);
    if (this.#lastFailure !== undefined) waiting.eased();
    this.#leave();
    this.deliver(value);
  }

  /** The outcome of the attempt that is out. */
  failed(error: unknown): void {
    if (this.#phase === "settled") return;
    const failure = error instanceof TransportError ? error : foreign(error);
    if (this.recovers(failure)) return this.#fly();
    this.#lastFailure = failure;
    if (failure.kind === "refused") this.#refused(failure);
    else if (failure.kind === "lost") this.#lost(failure);
    else if (failure.kind === "replied") this.#giveUp(serverError(failure, this.spec, this.command), failure);
    else this.#giveUp(closed(this.spec, failure), failure);
  }

  #refused(failure: TransportError): void {
    const reachedServer = failure.prefix !== "";
    if (!reachedServer) this.context.breakers.failed(failure.node, 0);
    if (!this.repeatable) return this.#endUnavailable("the server did not take it", failure);
    if (reachedServer) this.#backOff(failure);
    else this.#park(failure);
  }

  #lost(failure: TransportError): void {
    this.context.breakers.failed(failure.node, 0);
    const write = this.sent && this.spec.class !== "read";
    if (write) this.#mayHaveRun = true;
    if (!this.repeatable || (write && this.spec.class === "unsafe")) {
      return this.#endUnavailable("the connection was lost", failure);
    }
    if (!this.context.budget.withdraw()) return this.#endUnavailable(BUDGET_SPENT, failure);
    if (write) this.onRepeat();
    this.#park(failure);
  }

  #park(failure: TransportError): void {
    const { breakers, waiting } = this.context;
    const holdMs = breakers.holdMs(failure.node, this.spec.patienceMs);
    if (holdMs > 0) return this.#giveUp(breakerOpen(this.spec, failure.node, holdMs), failure);
    if (waiting.full) return this.#giveUp(overloaded(this.spec, waiting.max, failure), failure);
    this.#phase = "parked";
    waiting.park(this);
  }

  #backOff(failure: TransportError): void {
    const { budget, waiting, wheel } = this.context;
    const deadlineTick = wheel.dueTickOf(this);
    const wakeTick = wheel.tickIn(backoffMs(this.context.runtime, BACKOFF, this.#retries));
    if (wakeTick >= deadlineTick) return this.#endUnavailable(`no server took it within ${this.waitMs} ms`, failure);
    if (!budget.withdraw()) return this.#endUnavailable(BUDGET_SPENT, failure);
    if (waiting.full) return this.#giveUp(overloaded(this.spec, waiting.max, failure), failure);
    this.#retries += 1;
    this.#phase = "backingOff";
    this.#deadlineTick = deadlineTick;
    waiting.enterBackoff();
    wheel.schedule(this, wakeTick);
  }

  #endUnavailable(why: string, failure: TransportError): void {
    this.#giveUp(unavailable(this.spec, why, failure), failure);
  }

  #overdue(): void {
    const { spec, waitMs } = this;
    const error = timedOut(spec, waitMs);
    if (this.#phase === "parked") {
      return this.#giveUp(unavailable(spec, `no server took it within ${waitMs} ms`, this.#lastFailure), error);
    }
    if (this.sent) this.context.breakers.failed(nodeOf(this.context.transport, this.route), waitMs);
    this.#interrupt(error, error);
  }

  /** Ends the call from outside. What is out may be executed all the same. */
  #interrupt(error: HoldfastError, cause: unknown): void {
    if (this.#phase === "settled") return;
    const flying = this.#phase === "flying";
    if (flying && this.sent && this.spec.class !== "read") this.#mayHaveRun = true;
    // What is out comes first, so that it is fenced off before the caller can send anything else.
    if (flying) this.abandon();
    this.#giveUp(error, cause);
  }

  /** @param cause what left the outcome open, where an attempt may have been executed */
  #giveUp(error: HoldfastError, cause: unknown): void {
    this.#leave();
    this.fail(this.#mayHaveRun ? outcomeUnknown(this.spec, cause) : error);
  }

  /** Refused at the door: nothing was begun. */
  #refuse(error: HoldfastError): void {
    this.#phase = "settled";
    this.fail(error);
  }

  #leave(): void {
    const { waiting, wheel } = this.context;
    if (this.#phase === "parked") waiting.unpark(this);
    else if (this.#phase === "backingOff") waiting.leaveBackoff();
    this.#phase = "settled";
    if (this.spec.signal !== undefined) unfollow(this.spec.signal, this);
    wheel.remove(this);
  }
}

/** A transport that breaks its contract: nothing is known of the attempt, so it counts as lost. */
function foreign(error: unknown): TransportError {
  const message = error instanceof Error ? error.message : String(error);
  return new TransportError("lost", message, { cause: error });
}
