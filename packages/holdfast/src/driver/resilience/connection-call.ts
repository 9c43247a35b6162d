/** Calls that are about connections: borrowing one, using it, a blocking command on one, a subscription. */
import type { Arg, Call, Lease, Reply, Route, Transport, TransportLease } from "../port.ts";
import { Deferred } from "../../base/deferred.ts";
import { ClosedError, type HoldfastError } from "../../base/errors.ts";
import { PendingCall } from "./call.ts";
import { commandOf } from "./command-call.ts";
import type { CallContext } from "./context.ts";

/** A call whose outcome is a promise of its own. */
abstract class PromisedCall<T> extends PendingCall<T> {
  readonly #outcome: Deferred<T> = new Deferred();

  get promise(): Promise<T> {
    return this.#outcome.promise;
  }

  /** What one attempt gets. */
  protected abstract make(): Promise<T>;

  protected override attempt(): void {
    this.make().then(
      (value) => this.replied(value),
      (error: unknown) => this.failed(error),
    );
  }

  protected override deliver(value: T): void {
    this.#outcome.resolve(value);
  }

  protected override fail(error: HoldfastError): void {
    this.#outcome.reject(error);
  }
}

/** What a preparation needs to know: how to make the thing, and how to undo it when it comes too late. */
export interface Preparation<T> {
  readonly command: string;
  make(transport: Transport, signal: AbortSignal): Promise<T>;
  undo(made: T): void;
}

/** Getting hold of a connection or a subscription. It changes no data, whatever class the caller's operation has. */
export class PreparationCall<T> extends PromisedCall<T> {
  readonly #preparation: Preparation<T>;
  readonly #ended = new AbortController();

  constructor(context: CallContext, preparation: Preparation<T>, spec: Call, route: Route) {
    super(context, spec, route);
    this.#preparation = preparation;
  }

  protected override get command(): string {
    return this.#preparation.command;
  }

  protected override get sent(): boolean {
    return false;
  }

  protected override make(): Promise<T> {
    return this.#preparation.make(this.context.transport, this.#ended.signal);
  }

  protected override abandon(): void {
    this.#ended.abort();
  }

  protected override dropLate(made: T): void {
    this.#preparation.undo(made);
  }
}

/**
 * A command on a borrowed connection. It is attempted once: what a connection has seen before (WATCH, MULTI) is part
 * of its meaning, so only the borrower can begin again.
 */
class LeasedCall extends PromisedCall<Reply> {
  readonly #borrower: Lease;
  readonly #lease: TransportLease;
  readonly #args: readonly Arg[];

  constructor(context: CallContext, borrower: Lease, lease: TransportLease, args: readonly Arg[], spec: Call) {
    super(context, spec, { node: lease.node });
    this.#borrower = borrower;
    this.#lease = lease;
    this.#args = args;
  }

  protected override get command(): string {
    return commandOf(this.#args);
  }

  protected override get repeatable(): boolean {
    return false;
  }

  protected override make(): Promise<Reply> {
    return this.#lease.attempt(this.#args);
  }

  /** An answer is still owed on this connection; the next command would take it for its own. */
  protected override abandon(): void {
    this.#borrower.destroy();
  }
}

/** The lease that a borrower sees: the transport's, with deadlines. */
export class BoundedLease implements Lease {
  readonly node: string;
  readonly #context: CallContext;
  readonly #lease: TransportLease;
  readonly #timeoutMs: number;
  #ended = false;

  constructor(context: CallContext, lease: TransportLease, timeoutMs: number) {
    this.node = lease.node;
    this.#context = context;
    this.#lease = lease;
    this.#timeoutMs = timeoutMs;
  }

  send(args: readonly Arg[], call: Call): Promise<Reply> {
    if (this.#ended) {
      return Promise.reject(
        new ClosedError("this connection was given back; borrow a new one", { op: call.op, key: call.key }),
      );
    }
    const pending = new LeasedCall(this.#context, this, this.#lease, args, call);
    pending.begin(call.timeoutMs ?? this.#timeoutMs);
    return pending.promise;
  }

  release(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lease.release();
  }

  destroy(): void {
    this.#ended = true;
    this.#lease.destroy();
  }
}

/** A blocking command: borrows a connection, waits on it, returns it; retried as a whole. */
export class BlockingCall extends PromisedCall<Reply> {
  readonly #args: readonly Arg[];
  readonly #ended = new AbortController();
  #lease: TransportLease | undefined = undefined;
  #written = false;

  constructor(context: CallContext, args: readonly Arg[], spec: Call, route: Route) {
    super(context, spec, route);
    this.#args = args;
  }

  protected override get command(): string {
    return commandOf(this.#args);
  }

  protected override get sent(): boolean {
    return this.#written;
  }

  protected override async make(): Promise<Reply> {
    this.#written = false;
    const lease = await this.context.transport.lease(this.route, this.#ended.signal);
    if (this.settled) {
      lease.release();
      return null;
    }
    this.#lease = lease;
    this.#written = true;
    try {
      return await lease.attempt(this.#args);
    } finally {
      this.#lease = undefined;
      lease.release();
    }
  }

  protected override abandon(): void {
    this.#ended.abort();
    this.#lease?.destroy();
  }
}
