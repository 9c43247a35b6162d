/** One server process as we know it: the shared connection, the exclusive ones, and the one for subscriptions. */
import { deadline } from "../../base/runtime.ts";
import { type Arg, type Caller, type Home, type NodeInfo, TransportError } from "../port.ts";
import { Connection, ConnectTimeoutError } from "./connection.ts";
import type { TransportContext } from "./context.ts";
import { LeasePool } from "./lease-pool.ts";
import { isRefusal } from "./invalidation.ts";
import { Link } from "./link.ts";
import { type Address, addressName } from "./url.ts";

/** A connection to a replica is kept for so long before the name is tried again. */
const REPLICA_PATIENCE_MS = 500;

/** Finds the address to dial; asked for each new connection. */
export type Resolve = (signal: AbortSignal) => Promise<Address>;

export class Node implements Home {
  /** Where the shared connection goes, or went last. */
  address: Address;
  readonly link: Link;
  readonly leases: LeasePool;
  readonly #context: TransportContext;
  readonly #resolve: Resolve;
  readonly #mustBePrimary: boolean;
  /** Every connection that carries commands, shared or exclusive. */
  readonly #living = new Set<Connection>();

  constructor(context: TransportContext, address: Address, resolve: Resolve, mustBePrimary: boolean) {
    this.address = address;
    this.#context = context;
    this.#resolve = resolve;
    this.#mustBePrimary = mustBePrimary;
    this.link = new Link(context.settings.runtime, {
      dial: (signal) => this.#dialShared(signal),
      up: (connection, epoch) => this.#up(connection, epoch),
      down: (cause, epoch) => this.#down(cause, epoch),
    });
    this.leases = new LeasePool({
      client: context.settings.client,
      runtime: context.settings.runtime,
      limit: context.settings.maxLeases,
      dial: (signal) => this.dial("lease", signal),
      ready: (connection) => this.#fence(connection),
      node: () => this.id,
      isClosed: () => context.isClosed(),
    });
  }

  /** `host:port`. */
  get id(): string {
    return addressName(this.address);
  }

  get connection(): Connection | undefined {
    return this.link.connection;
  }

  get info(): NodeInfo {
    return { id: this.id, state: this.connection === undefined ? "down" : "up", epoch: this.link.epoch };
  }

  attempt(args: readonly Arg[], caller: Caller): void {
    const { connection } = this.link;
    if (connection === undefined) caller.failed(this.unreachable());
    else connection.attempt(args, caller);
  }

  /** What a command gets while there is no connection. */
  unreachable(): TransportError {
    const { link, id } = this;
    if (this.#context.isClosed()) return new TransportError("closed", "the connection was closed", { node: id });
    const why = link.lastFailure instanceof Error ? `: ${link.lastFailure.message}` : "";
    return new TransportError("refused", `no connection to ${id} now${why}`, { node: id, cause: link.lastFailure });
  }

  /** A connection beside the shared one. A lease is not pinged: a blocking command would hold back the answer. */
  async dial(purpose: "shared" | "lease" | "subscriber", signal: AbortSignal): Promise<Connection> {
    const { settings, invalidations, fences } = this.#context;
    // Beside a shared connection that stands, there is nobody to ask.
    const known = purpose === "shared" ? undefined : this.link.connection?.address;
    const address = known ?? (await this.#resolve(signal));
    const connection = await Connection.open(
      {
        settings,
        address,
        credentials: settings.credentials,
        database: settings.database,
        watched: purpose !== "lease" && settings.watched,
        onInvalidate: purpose === "shared" ? invalidations.deliver : undefined,
        fences: purpose === "subscriber" ? undefined : fences,
        onFailure: (error, answeredBy) => this.#context.learn(this.address, error, answeredBy),
      },
      signal,
    );
    if (purpose !== "subscriber") await this.#enlist(connection);
    if (this.#mustBePrimary && connection.greeting.role !== "master") {
      const cause = new Error(`${addressName(address)} is a ${connection.greeting.role}, not the primary`);
      connection.destroy(cause);
      throw cause;
    }
    return connection;
  }

  /**
   * The server behind the connection is not the primary that it was, and the name may lead to another one by now: it is
   * resolved and dialled again. What is under way will be answered, mostly with the same error.
   */
  dialAgain(error: TransportError, answeredBy: Connection): void {
    const { connection } = this.link;
    if (connection === undefined || connection.node !== answeredBy.node) return;
    // An earlier connection's answer says nothing of this one.
    if (answeredBy.ageMs > connection.ageMs) return;
    // It was a replica from the start, and still is: reads are not to suffer from every write.
    const isKnown = error.prefix === "MOVED" || connection.greeting.role !== "master";
    if (isKnown && connection.ageMs < REPLICA_PATIENCE_MS) return;
    this.link.drop(error, this.#context.settings.drainTimeoutMs);
  }

  async close(cause: unknown): Promise<void> {
    this.leases.close(cause);
    await this.link.close(this.#context.settings.drainTimeoutMs, cause);
  }

  async #enlist(connection: Connection): Promise<void> {
    this.#living.add(connection);
    void connection.ended.then(() => this.#leaveBehind(connection));
    await this.#fence(connection);
  }

  /** Resolves once nothing that was sent there before can be executed any more. */
  async #fence(connection: Connection): Promise<void> {
    const { fences, settings } = this.#context;
    const { client, node } = connection;
    const late = (): Error => new ConnectTimeoutError(settings.connectTimeoutMs);
    try {
      while (fences.owes(node) && !connection.isOver) {
        await deadline(settings.runtime, settings.connectTimeoutMs, fences.raise(client, node), late);
      }
    } catch (error) {
      connection.destroy(error);
      throw error;
    }
  }

  #leaveBehind(connection: Connection): void {
    const { leftBehind, node } = connection;
    this.#living.delete(connection);
    if (leftBehind === undefined || this.#context.isClosed()) return;
    this.#context.fences.owe(node, leftBehind);
    for (const living of this.#living) {
      if (living.node !== node || living.isOver) continue;
      // Inside MULTI the kill would wait for EXEC.
      if (living.session?.inMulti === true) living.destroy(new Error("another connection was lost during its MULTI"));
      else this.#fence(living).catch(() => undefined);
    }
  }

  async #dialShared(signal: AbortSignal): Promise<Connection> {
    const connection = await this.dial("shared", signal);
    try {
      await this.#arm(connection);
    } catch (error) {
      connection.destroy(error);
      throw error;
    }
    if (connection.node !== this.id) this.leases.clear(new Error(`${this.id} is not the primary any more`), true);
    this.address = connection.address;
    return connection;
  }

  /** Where the server will not track, the connection carries commands all the same; those who listen see that nobody reports. */
  async #arm(connection: Connection): Promise<void> {
    await this.#context.invalidations.arm(connection).catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
    });
  }

  #up(connection: Connection, epoch: number): void {
    // A prefix may have been added since the connection was armed; it is not used yet, so nothing is missed.
    this.#arm(connection).catch((error: unknown) => connection.destroy(error));
    this.#context.invalidations.flush(new Error(`connected to ${this.id} again`));
    this.#context.emit({ state: "up", node: this.id, epoch });
  }

  #down(cause: unknown, epoch: number): void {
    this.#context.invalidations.flush(cause);
    this.leases.clear(cause, false);
    if (!this.link.isClosed) this.#context.emit({ state: "down", node: this.id, epoch, cause });
  }
}
