/** Asking the sentinels for the primary, and hearing from them when it changes. */
import { deadline } from "../../base/runtime.ts";
import type { Reply } from "../port.ts";
import { Connection } from "./connection.ts";
import { Link } from "./link.ts";
import type { Settings } from "./options.ts";
import { type Address, addressName } from "./url.ts";

export class Sentinels {
  readonly #settings: Settings;
  readonly #moved: (address: string) => void;
  readonly #feed: Link;
  /** The sentinel that the next connection of the feed goes to. */
  #next = 0;

  constructor(settings: Settings, moved: (address: string) => void) {
    this.#settings = settings;
    this.#moved = moved;
    this.#feed = new Link(settings.runtime, { dial: (signal) => this.#dialFeed(signal) });
  }

  /**
   * The primary's address: all sentinels are asked at once and the first that knows one is believed; the caller then
   * asks the server itself for its role. Rejects when none knows.
   */
  async primary(signal: AbortSignal): Promise<Address> {
    const { addresses, masterName } = this.#settings;
    const enough = new AbortController();
    const until = AbortSignal.any([signal, enough.signal]);
    try {
      return await Promise.any(addresses.map((address) => this.#ask(address, until)));
    } catch (error) {
      signal.throwIfAborted();
      throw new SentinelError(masterName, addresses.map(addressName), error);
    } finally {
      enough.abort(new Error("another sentinel has answered"));
    }
  }

  /** Begins to listen for `+switch-master`, so that a primary which hangs without closing its sockets is left in time. */
  follow(): void {
    this.#feed.start();
  }

  async close(cause: unknown): Promise<void> {
    await this.#feed.close(0, cause);
  }

  async #ask(address: Address, signal: AbortSignal): Promise<Address> {
    const connection = await this.#dial(address, false, signal);
    const done = new Error("asked");
    try {
      return await this.#askOn(connection);
    } finally {
      connection.destroy(done);
    }
  }

  async #askOn(connection: Connection): Promise<Address> {
    const { masterName, connectTimeoutMs, reach, runtime } = this.#settings;
    const asked = connection.sendRaw(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName]);
    const reply = await deadline(runtime, connectTimeoutMs, asked, () => new Error("the sentinel did not answer"));
    const address = readAddress(reply);
    if (address === undefined) throw new UnknownMasterError(connection.node, masterName);
    return reach(address.host, address.port);
  }

  async #dialFeed(signal: AbortSignal): Promise<Connection> {
    const { addresses } = this.#settings;
    const address = addresses[this.#next % addresses.length]!;
    this.#next += 1;
    const connection = await this.#dial(address, true, signal);
    try {
      await connection.client.SUBSCRIBE("+switch-master", (message) => this.#heard(message), true);
      // What was announced while nobody listened.
      this.#moved(addressName(await this.#askOn(connection)));
      return connection;
    } catch (error) {
      connection.destroy(error);
      throw error;
    }
  }

  #dial(address: Address, watched: boolean, signal: AbortSignal): Promise<Connection> {
    const { sentinelCredentials: credentials } = this.#settings;
    return Connection.open({ settings: this.#settings, address, credentials, database: 0, watched }, signal);
  }

  /** `<master name> <old host> <old port> <new host> <new port>` */
  #heard(message: Buffer): void {
    const [name, , , host, port] = message.toString().split(" ");
    if (name !== this.#settings.masterName || host === undefined) return;
    this.#moved(addressName(this.#settings.reach(host, Number(port))));
  }
}

class UnknownMasterError extends Error {
  override readonly name: string = "UnknownMasterError";
  constructor(sentinel: string, masterName: string) {
    super(`${sentinel} knows no master "${masterName}"`);
  }
}

class SentinelError extends AggregateError {
  override readonly name: string = "SentinelError";
  readonly code: "ENOPRIMARY" | "EUNKNOWNMASTER";
  constructor(masterName: string, sentinels: readonly string[], cause: unknown) {
    const errors: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
    const reasons = [...new Set(errors.map((error) => (error instanceof Error ? error.message : String(error))))];
    super(errors, `no sentinel of ${sentinels.join(", ")} names a primary "${masterName}": ${reasons.join("; ")}`);
    const unanimous = errors.every((error) => error instanceof UnknownMasterError);
    this.code = unanimous ? "EUNKNOWNMASTER" : "ENOPRIMARY";
  }
}

function readAddress(reply: Reply): { host: string; port: number } | undefined {
  if (!Array.isArray(reply) || reply.length < 2) return undefined;
  return { host: String(reply[0]), port: Number(reply[1]) };
}
