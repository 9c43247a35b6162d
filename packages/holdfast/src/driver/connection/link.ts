/** A connection that is made again whenever it ends, until it is closed. */
import type { Runtime } from "../../base/runtime.ts";
import { backoff } from "./backoff.ts";
import { type Connection, ConnectTimeoutError } from "./connection.ts";
import { Deferred } from "../../base/deferred.ts";

/** A connection that ended sooner counts as a failure, so that a server which hangs up at once is not hammered. */
const STABLE_MS = 1_000;

export interface LinkHooks {
  /** Makes one connection, ready for use. `signal` fires when the link is closed. */
  dial(signal: AbortSignal): Promise<Connection>;
  /** Called before anybody can use the connection. Must not throw. */
  up?(connection: Connection, epoch: number): void;
  /** Must not throw. */
  down?(cause: unknown, epoch: number): void;
}

interface ConnectionWaiter {
  resolve(connection: Connection): void;
  failed(cause: unknown): void;
}

export class Link {
  /** The connection in use; undefined while there is none. */
  connection: Connection | undefined;
  /** Rises with each connection; 0 before the first. */
  epoch = 0;
  /** Why there is no connection now. */
  lastFailure: unknown = undefined;
  readonly #runtime: Runtime;
  readonly #hooks: LinkHooks;
  readonly #stop = new AbortController();
  readonly #waiters = new Set<ConnectionWaiter>();
  #running: Promise<void> | undefined;
  #redial = new AbortController();

  constructor(runtime: Runtime, hooks: LinkHooks) {
    this.#runtime = runtime;
    this.#hooks = hooks;
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  start(): this {
    this.#running ??= this.#run();
    return this;
  }

  /**
   * The connection, at once or as soon as there is one. Rejects with the last failure when there is none after
   * `timeoutMs`, or at once with a failure that `givesUp` accepts.
   */
  async ready(timeoutMs: number, givesUp: (cause: unknown) => boolean = () => false): Promise<Connection> {
    if (this.connection !== undefined) return this.connection;
    this.#stop.signal.throwIfAborted();
    const { promise, resolve, reject } = new Deferred<Connection>();
    const waiter: ConnectionWaiter = {
      resolve,
      failed: (cause) => {
        if (this.isClosed || givesUp(cause)) reject(cause);
      },
    };
    this.#waiters.add(waiter);
    const timer = this.#runtime.setTimeout(
      () => reject(this.lastFailure ?? new ConnectTimeoutError(timeoutMs)),
      timeoutMs,
    );
    try {
      return await promise;
    } finally {
      this.#runtime.clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  /**
   * Gives up the present connection, or the present try, and makes a new one. Answers under way are waited for, at most
   * `drainMs`; meanwhile there is no connection.
   */
  drop(cause: unknown, drainMs = 0): void {
    const { connection } = this;
    this.connection = undefined;
    void connection?.close(drainMs, cause);
    this.#redial.abort(cause);
  }

  /** Ends for good; answers under way are waited for, at most `drainMs`. Idempotent. */
  async close(drainMs: number, cause: unknown): Promise<void> {
    const { connection } = this;
    this.connection = undefined;
    this.#stop.abort(cause);
    this.#redial.abort(cause);
    this.#fail(cause);
    await connection?.close(drainMs, cause);
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.isClosed) {
      this.#redial = new AbortController();
      const startedAt = this.#runtime.now();
      try {
        const connection = await this.#hooks.dial(this.#redial.signal);
        const cause = await this.#serve(connection);
        this.lastFailure = cause;
        failures = this.#runtime.now() - startedAt > STABLE_MS ? 1 : failures + 1;
      } catch (error) {
        failures += 1;
        this.#fail(error);
      }
      if (!this.#redial.signal.aborted) await backoff(this.#runtime, failures, this.#redial.signal);
    }
  }

  async #serve(connection: Connection): Promise<unknown> {
    if (this.isClosed) connection.destroy(this.#stop.signal.reason);
    if (connection.isOver) return connection.ended;
    this.epoch += 1;
    const { epoch } = this;
    this.#hooks.up?.(connection, epoch);
    this.connection = connection;
    for (const waiter of this.#waiters) waiter.resolve(connection);
    const cause = await connection.ended;
    this.connection = undefined;
    this.#hooks.down?.(cause, epoch);
    return cause;
  }

  #fail(cause: unknown): void {
    this.lastFailure = cause;
    for (const waiter of this.#waiters) waiter.failed(cause);
  }
}
