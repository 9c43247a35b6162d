/**
 * Changes to keys by prefix, through RESP3 tracking in broadcast mode on the shared connection of each primary. The
 * pushes come on the connection that carries the reads, so they are in order with the replies.
 */
import { type InvalidationListener, type Subscription, TransportError } from "../port.ts";
import type { Connection } from "./connection.ts";
import { guarded } from "./guarded.ts";

interface Registration {
  readonly prefix: string;
  readonly bytes: Buffer;
  readonly listener: InvalidationListener;
}

/** The tracking of one connection: the prefixes it was asked for, the server's word on it, and whether it reports changes. */
interface Armed {
  readonly prefixes: string;
  readonly confirmed: Promise<unknown>;
  readonly live: boolean;
}

const UNARMED: Armed = { prefixes: "", confirmed: Promise.resolve(), live: false };
/** A request was refused or lost, so what the server tracks is not known. No prefix is empty and none has a NUL. */
const UNKNOWN: Armed = { ...UNARMED, prefixes: "\0" };

export class Invalidations {
  readonly #registrations = new Set<Registration>();
  readonly #armed = new Map<Connection, Armed>();
  #batch: Buffer[] = [];

  /** For node-redis: one key, or null for all of them. The keys of one turn are handed on together. */
  readonly deliver = (key: Buffer | null): void => {
    if (key === null) return this.flush(new Error("the server forgot all keys (FLUSHDB or FLUSHALL)"));
    if (this.#batch.length === 0) queueMicrotask(() => this.#hand());
    this.#batch.push(key);
  };

  /** Resolves when every connection of `connections` reports changes under the prefix. */
  async add(prefix: string, listener: InvalidationListener, connections: readonly Connection[]): Promise<Subscription> {
    const registration: Registration = { prefix, bytes: Buffer.from(prefix), listener };
    this.#registrations.add(registration);
    try {
      await Promise.all(connections.map((connection) => this.arm(connection)));
    } catch (error) {
      this.#registrations.delete(registration);
      throw error;
    }
    return { close: () => this.#remove(registration) };
  }

  /** Brings the tracking of a connection to the prefixes wanted now. Rejects with a TransportError. */
  async arm(connection: Connection): Promise<void> {
    const wanted = coveringPrefixes([...this.#registrations].map(({ prefix }) => prefix));
    const prefixes = wanted.join("\0");
    const present = this.#armed.get(connection) ?? UNARMED;
    if (prefixes === present.prefixes) return void (await present.confirmed);
    if (present === UNARMED) void connection.ended.then(() => this.#armed.delete(connection));
    // The server can add prefixes but not take any away, and refuses those that overlap: off, then on, in one write.
    const off = present.prefixes === "" ? undefined : connection.send(["CLIENT", "TRACKING", "OFF"]);
    const on = wanted.length === 0 ? undefined : connection.send(trackingOn(wanted));
    const armed = { prefixes, confirmed: Promise.all([off, on]), live: true };
    this.#armed.set(connection, armed);
    try {
      await armed.confirmed;
    } catch (error) {
      if (this.#armed.get(connection) === armed) this.#disarmed(connection, present, error);
      throw error;
    }
    if (present.prefixes !== "") this.flush(new Error("tracking was set up again"));
  }

  isArmed(connection: Connection | undefined): boolean {
    return connection !== undefined && this.#armed.get(connection)?.live === true;
  }

  /** Those who were heard before are not any more; a new connection hears them again, unless the server has refused it for good. */
  #disarmed(connection: Connection, before: Armed, error: unknown): void {
    this.#armed.set(connection, UNKNOWN);
    if (before.prefixes === "") return;
    this.flush(error);
    if (!isRefusal(error)) connection.destroy(error);
  }

  flush(cause: unknown): void {
    this.#hand();
    for (const { listener } of this.#registrations)
      guarded("an invalidation listener", listener, () => listener.flush(cause));
  }

  async #remove(registration: Registration): Promise<void> {
    if (!this.#registrations.delete(registration)) return;
    const connections = [...this.#armed.keys()];
    // A connection that fails here has ended, and with it its tracking.
    await Promise.all(connections.map((connection) => this.arm(connection).catch(ignoreTransportError)));
  }

  #hand(): void {
    const keys = this.#batch;
    if (keys.length === 0) return;
    this.#batch = [];
    for (const { bytes, listener } of this.#registrations) {
      const mine = keys.filter((key) => key.subarray(0, bytes.length).equals(bytes));
      if (mine.length > 0) guarded("an invalidation listener", listener, () => listener.keys(mine));
    }
  }
}

/** The server refuses overlapping prefixes; the shorter one covers the longer one's keys as well. */
function coveringPrefixes(prefixes: readonly string[]): string[] {
  const covering: string[] = [];
  for (const prefix of [...prefixes].sort()) {
    const last = covering.at(-1);
    if (last === undefined || !prefix.startsWith(last)) covering.push(prefix);
  }
  return covering;
}

function trackingOn(prefixes: readonly string[]): string[] {
  return ["CLIENT", "TRACKING", "ON", "BCAST", "NOLOOP", ...prefixes.flatMap((prefix) => ["PREFIX", prefix])];
}

/** The server has said no, as it does where the user may not track: asking again is of no use. */
export function isRefusal(error: unknown): boolean {
  return error instanceof TransportError && error.kind === "replied";
}

function ignoreTransportError(error: unknown): void {
  if (!(error instanceof TransportError)) throw error;
}
