/** One incarnation of a connection: opened once, used, ended once. It never comes back; `Link` makes the next one. */
import { type Runtime, within } from "../../base/runtime.ts";
import type { Arg, Caller, Reply, TransportError } from "../port.ts";
import type { Fences, Identity } from "./fences.ts";
import { watch } from "./heartbeat.ts";
import { Life } from "./life.ts";
import type { Settings } from "./options.ts";
import type { ClientKind, Credentials, RawClient } from "./raw-client.ts";
import type { SessionState } from "./session-state.ts";
import { type Address, addressName } from "./url.ts";

export interface ConnectionSetup {
  readonly settings: Settings;
  readonly address: Address;
  readonly credentials: (() => Credentials | Promise<Credentials>) | undefined;
  readonly database: number;
  /** Pings find half-open sockets. Off where a blocking command may hold back the answer. */
  readonly watched: boolean;
  readonly onInvalidate?: ((key: Buffer | null) => void) | undefined;
  /** Late copies of earlier connections are fenced off first. Not needed where nothing is ever written. */
  readonly fences?: Fences | undefined;
  /** Told of every failed command, so that the topology can learn from it. Must not throw. */
  readonly onFailure?: ((error: TransportError, answeredBy: Connection) => void) | undefined;
}

/** What the server says of itself. */
export interface Greeting {
  readonly server: string;
  readonly version: string;
  readonly mode: string;
  readonly role: string;
}

interface Opened {
  readonly client: RawClient;
  readonly greeting: Greeting;
  readonly identity: Identity | undefined;
}

export class Connection {
  /** `host:port`, or the path of the socket. */
  readonly node: string;
  readonly address: Address;
  readonly client: RawClient;
  readonly greeting: Greeting;
  /** What its borrower has left behind on it; undefined where it is nobody's alone. */
  session: SessionState | undefined;
  /** Resolves with the cause once the connection is of no use any more. */
  readonly ended: Promise<unknown>;
  readonly #runtime: Runtime;
  readonly #openedAt: number;
  readonly #kind: ClientKind;
  readonly #life: Life;
  readonly #identity: Identity | undefined;
  readonly #onFailure: ConnectionSetup["onFailure"];
  readonly #reject: (error: unknown) => never;

  private constructor(setup: ConnectionSetup, life: Life, { client, greeting, identity }: Opened) {
    this.node = addressName(setup.address);
    this.address = setup.address;
    this.client = client;
    this.greeting = greeting;
    this.#identity = identity;
    this.#runtime = setup.settings.runtime;
    this.#openedAt = this.#runtime.now();
    this.#kind = setup.settings.client;
    this.#life = life;
    this.ended = life.ended;
    this.#onFailure = setup.onFailure;
    this.#reject = (error) => {
      throw this.explain(error);
    };
    if (setup.watched) watch(client, life, setup.settings);
  }

  /** Rejects when the connection could not be made within `connectTimeout`, or when `signal` fires. */
  static async open(setup: ConnectionSetup, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    const { client: kind } = setup.settings;
    const node = addressName(setup.address);
    const life = new Life(kind);
    const abandon = (): void => life.end(signal.reason);
    signal.addEventListener("abort", abandon, { once: true });
    const { connectTimeoutMs, runtime } = setup.settings;
    const deadline = runtime.setTimeout(() => life.end(new ConnectTimeoutError(connectTimeoutMs)), connectTimeoutMs);
    try {
      const client = kind.create({ ...setup, signal: life.socketSignal, onInvalidate: setup.onInvalidate });
      life.attach(client);
      await client.connect();
      // Together, so that it is one round trip.
      const [hello, identity] = await Promise.all([client.sendCommand(["HELLO"]), setup.fences?.greet(client, node)]);
      life.throwIfOver();
      return new Connection(setup, life, { client, greeting: readGreeting(hello), identity });
    } catch (error) {
      // The error that ended it says more than the one that the end has caused.
      kind.withoutArguments(error);
      life.end(error);
      throw life.cause;
    } finally {
      runtime.clearTimeout(deadline);
      signal.removeEventListener("abort", abandon);
    }
  }

  get isOver(): boolean {
    return this.#life.over;
  }

  get ageMs(): number {
    return this.#runtime.now() - this.#openedAt;
  }

  /** Who this was to its server, where that may still execute what it has not answered. */
  get leftBehind(): Identity | undefined {
    const { mayStillRun, endedByPeer } = this.#life;
    // All clients of a socket file have one address, so a restarted server's equal id could be a stranger's. But there
    // nothing is under way: when the server closed it, all is over.
    const isOver = endedByPeer && this.#identity?.address.endsWith(":0") === true;
    return mayStillRun && !isOver ? this.#identity : undefined;
  }

  /** The hot path: nothing is allocated here but the two handlers and the promise that `then` makes. */
  attempt(args: readonly Arg[], caller: Caller): void {
    this.client.sendCommand(args).then(
      (reply) => caller.replied(reply),
      (error: unknown) => caller.failed(this.explain(error)),
    );
  }

  /** Rejects with a TransportError. */
  send(args: readonly Arg[]): Promise<Reply> {
    return this.client.sendCommand(args).then(undefined, this.#reject);
  }

  /** What a failed command means; the topology learns of it. */
  explain(error: unknown): TransportError {
    // The client's own word for a connection that we have ended does not say why we did.
    const cause = this.#kind.isDestroyed(error) ? this.#life.cause : error;
    const failure = this.#kind.classify(cause, this.node);
    this.#onFailure?.(failure, this);
    return failure;
  }

  /** Like `send`, rejecting with whatever the client says. */
  sendRaw(args: readonly Arg[]): Promise<Reply> {
    return this.client.sendCommand(args);
  }

  /** Ends it at once; what was written is lost, what was not is refused. Idempotent. */
  destroy(cause: unknown): void {
    this.#life.end(cause);
  }

  /** Takes no more commands, waits for the answers under way, then ends. */
  async close(drainMs: number, cause: unknown): Promise<void> {
    if (drainMs === 0) this.#life.end(cause);
    if (this.#life.over) return;
    await within(this.#runtime, drainMs, Promise.race([this.client.close().catch(() => undefined), this.ended]));
    this.#life.end(cause);
  }
}

/** No connection, and no better reason than time. */
export class ConnectTimeoutError extends Error {
  override readonly name: string = "ConnectTimeoutError";
  readonly code: string = "ETIMEDOUT";
  constructor(ms: number) {
    super(`no connection within ${ms} ms`);
  }
}

export function readGreeting(reply: Reply): Greeting {
  const fields = new Map<string, string>();
  if (Array.isArray(reply)) {
    for (let at = 0; at + 1 < reply.length; at += 2) fields.set(String(reply[at]), String(reply[at + 1]));
  }
  const field = (name: string): string => fields.get(name) ?? "";
  return { server: field("server"), version: field("version"), mode: field("mode"), role: field("role") };
}
