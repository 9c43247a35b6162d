/** Exclusive connections of one node: a bounded pool, first come first served, each one cleaned before its next use. */
import { type Arg, TransportError, type TransportLease } from "../port.ts";
import { deadline, type Runtime, type Timer } from "../../base/runtime.ts";
import type { Connection } from "./connection.ts";
import { Deferred } from "../../base/deferred.ts";
import type { ClientKind } from "./raw-client.ts";
import { SessionState } from "./session-state.ts";

/** A connection that nobody wanted for so long is closed. */
const IDLE_MS = 30_000;
/** A connection that is not clean by then is destroyed. */
const CLEAN_UP_MS = 1_000;

interface TurnWaiter {
  resolve(turn: undefined): void;
  reject(reason: unknown): void;
}

export interface PoolSetup {
  readonly client: ClientKind;
  readonly runtime: Runtime;
  readonly limit: number;
  dial(signal: AbortSignal): Promise<Connection>;
  /** Makes a connection that was idle fit for use again. */
  ready(connection: Connection): Promise<void>;
  /** For messages. */
  node(): string;
  /** Whether the whole transport is closed. */
  isClosed(): boolean;
}

export class LeasePool {
  readonly #setup: PoolSetup;
  readonly #idle = new Map<Connection, Timer>();
  readonly #busy = new Set<Connection>();
  readonly #waiters = new Set<TurnWaiter>();
  readonly #stop = new AbortController();
  /** Connections open or being opened, and turns handed to a waiter that has not used its own yet. */
  #taken = 0;

  constructor(setup: PoolSetup) {
    this.#setup = setup;
  }

  async acquire(signal: AbortSignal): Promise<TransportLease> {
    await this.#turn(signal);
    let connection: Connection | undefined;
    try {
      connection = (await this.#takeIdle()) ?? (await this.#setup.dial(AbortSignal.any([signal, this.#stop.signal])));
      this.#busy.add(connection);
      // Closed or given up while the connection was made ready, which no signal ends.
      this.#throwIfOver(signal);
      return this.#lend(connection);
    } catch (error) {
      if (connection !== undefined) this.#busy.delete(connection);
      connection?.destroy(error);
      this.#passOn();
      throw this.#explain(error, signal);
    }
  }

  /** Closes the idle connections, and with `all` the lent ones as well. */
  clear(cause: unknown, all: boolean): void {
    for (const [connection, timer] of this.#idle) {
      this.#setup.runtime.clearTimeout(timer);
      connection.destroy(cause);
    }
    this.#idle.clear();
    if (all) for (const connection of this.#busy) connection.destroy(cause);
  }

  close(cause: unknown): void {
    this.#stop.abort(cause);
    this.clear(cause, true);
    for (const waiter of this.#waiters) waiter.reject(cause);
    this.#waiters.clear();
  }

  /** Resolves when one of the `limit` places is ours. */
  async #turn(signal: AbortSignal): Promise<void> {
    this.#throwIfOver(signal);
    if (this.#taken < this.#setup.limit) {
      this.#taken += 1;
      return;
    }
    const { promise, resolve, reject } = new Deferred<undefined>();
    const waiter: TurnWaiter = { resolve, reject };
    const abandon = (): void => {
      // A waiter no longer in the set has been given its turn, which then must not be lost.
      if (this.#waiters.delete(waiter)) reject(signal.reason);
    };
    this.#waiters.add(waiter);
    signal.addEventListener("abort", abandon, { once: true });
    try {
      await promise;
    } catch (error) {
      throw this.#explain(error, signal);
    } finally {
      signal.removeEventListener("abort", abandon);
    }
  }

  /** Our place goes to whoever waits longest, or becomes free. */
  #passOn(): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.resolve(undefined);
      return;
    }
    this.#taken -= 1;
  }

  async #takeIdle(): Promise<Connection | undefined> {
    for (const [connection, timer] of this.#idle) {
      this.#setup.runtime.clearTimeout(timer);
      this.#idle.delete(connection);
      // From here on `clear` and `close` find it among the busy ones.
      this.#busy.add(connection);
      await this.#setup.ready(connection).catch((error: unknown) => {
        this.#busy.delete(connection);
        throw error;
      });
      if (!connection.isOver) return connection;
      this.#busy.delete(connection);
    }
    return undefined;
  }

  #lend(connection: Connection): TransportLease {
    const session = new SessionState();
    connection.session = session;
    let returned = false;
    const giveBack = (back: () => Promise<void>): void => {
      if (returned) return;
      returned = true;
      void back().finally(() => {
        this.#busy.delete(connection);
        this.#passOn();
      });
    };
    return {
      node: connection.node,
      attempt: (args) =>
        returned ? Promise.reject(afterRelease(connection.node)) : session.track(args, connection.send(args)),
      release: () => giveBack(() => this.#clean(connection, session)),
      destroy: () => giveBack(async () => connection.destroy(new Error("the lease was destroyed"))),
    };
  }

  async #clean(connection: Connection, session: SessionState): Promise<void> {
    const command = session.cleanUp();
    if (command === "impossible") return connection.destroy(new Error("the lease left the connection in use"));
    if (command !== undefined) await this.#sendOrDestroy(connection, [command]);
    if (connection.isOver || this.#stop.signal.aborted) return connection.destroy(this.#stop.signal.reason);
    connection.session = undefined;
    const retire = this.#setup.runtime.setTimeout(() => {
      this.#idle.delete(connection);
      connection.destroy(new Error("idle"));
    }, IDLE_MS);
    retire.unref();
    this.#idle.set(connection, retire);
  }

  async #sendOrDestroy(connection: Connection, args: readonly Arg[]): Promise<void> {
    const cleaned = connection.send(args);
    await deadline(this.#setup.runtime, CLEAN_UP_MS, cleaned, () => new Error("no answer while cleaning up")).catch(
      (error: unknown) => connection.destroy(error),
    );
  }

  #throwIfOver(signal: AbortSignal): void {
    const over = this.#stop.signal.aborted ? this.#stop.signal : signal;
    if (over.aborted) throw this.#explain(over.reason, signal);
  }

  #explain(error: unknown, signal: AbortSignal): TransportError {
    const { limit } = this.#setup;
    const node = this.#setup.node();
    if (this.#setup.isClosed()) return new TransportError("closed", "the connection was closed", { node });
    if (signal.aborted && !this.#stop.signal.aborted) {
      const message = `no exclusive connection to ${node} in time (${this.#taken} of ${limit} in use)`;
      return new TransportError("refused", message, { node, cause: signal.reason });
    }
    // No command was sent yet, whatever ended the connection.
    const { message, prefix } = this.#setup.client.classify(error, node);
    return new TransportError("refused", message, { prefix, node, cause: error });
  }
}

function afterRelease(node: string): TransportError {
  return new TransportError("replied", "the lease was already released", { node });
}
