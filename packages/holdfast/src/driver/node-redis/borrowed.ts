/**
 * A transport over a client that the user made and keeps. Commands travel on that client, with its reconnection and
 * its redirections; it is never closed. What needs connections of its own (leases, subscriptions, invalidation) gets
 * them from a transport beside it, opened at the first need and closed with this one.
 *
 * Two differences to a transport that owns its connection: a command lost with the borrowed connection is always
 * reported as `lost`, also when it was never written; and onInvalidate also reports this side's own writes.
 */
import { RESP_TYPES } from "@redis/client";
import { Deferred } from "../../base/deferred.ts";
import { UnavailableError } from "../../base/errors.ts";
import { deadline } from "../../base/runtime.ts";
import { slotOf } from "../slot.ts";
import {
  type Arg,
  type Caller,
  type Capabilities,
  type ChannelKind,
  type ChannelListener,
  type Home,
  type InvalidationListener,
  type InvalidationSubscription,
  type NodeInfo,
  type Reply,
  type Route,
  type StateEvent,
  type Subscription,
  type Transport,
  TransportError,
  type TransportLease,
} from "../port.ts";
import {
  type BorrowedClient,
  checkBorrowed,
  isCluster,
  nodesOf,
  type OwnOptions,
  settingsOf,
} from "./borrowed-client.ts";
import { classify } from "./classify.ts";
import { COMMAND_OPTIONS, type CommandOptions, nodeRedis } from "./client.ts";
import { ConnectTimeoutError, readGreeting } from "../connection/connection.ts";
import { guarded } from "../connection/guarded.ts";
import { describeFailure } from "../connection/failure.ts";
import { openSettings } from "../connection/open.ts";
import type { Settings } from "../connection/options.ts";
import type { Opening } from "../connection/deferred.ts";
import { capabilitiesOf } from "../connection/topology.ts";

export type { BorrowedClient };

/**
 * Wraps a connected client of `createClient()` or `createCluster()`. Costs one HELLO. Rejects with
 * InvalidArgumentError for other kinds of client, and with a HoldfastError when it is not connected or does not answer
 * within `connectTimeout`.
 */
export async function createBorrowedTransport(client: BorrowedClient, options: OwnOptions = {}): Promise<Transport> {
  return openBorrowed(client, prepareBorrowed(client, options));
}

/** What is wrong with the client or the options, found before anything is sent. @throws InvalidArgumentError */
export function prepareBorrowed(client: BorrowedClient, options: OwnOptions): Settings {
  checkBorrowed(client);
  return settingsOf(client, options);
}

export async function openBorrowed(
  client: BorrowedClient,
  settings: Settings,
  opening: Opening = {},
): Promise<Transport> {
  if (!client.isReady) throw new UnavailableError("the client that was handed in is not connected; connect it first");
  try {
    const greet = (options: CommandOptions): Promise<Reply> =>
      answered(sendOn(client, ["HELLO"], undefined, options), settings, opening.signal);
    let options: CommandOptions = COMMAND_OPTIONS;
    let hello = await greet(options);
    if (!Array.isArray(hello)) {
      options = optionsOfItsRealm(hello);
      hello = await greet(options);
    }
    const caps: Capabilities = { ...capabilitiesOf(readGreeting(hello)), fencing: "none" };
    return new BorrowedTransport(client, settings, caps, options);
  } catch (error) {
    throw describeFailure("the servers of the client that was handed in", error, nodeRedis);
  }
}

class BorrowedTransport implements Transport {
  readonly caps: Capabilities;
  readonly #client: BorrowedClient;
  readonly #settings: Settings;
  readonly #options: CommandOptions;
  readonly #stateListeners = new Set<(event: StateEvent) => void>();
  #aside: Promise<Transport> | undefined;
  #closing: Promise<void> | undefined;
  #epoch = 1;
  #home: Home;
  #up = true;

  constructor(client: BorrowedClient, settings: Settings, caps: Capabilities, options: CommandOptions) {
    this.#client = client;
    this.#options = options;
    this.#settings = settings;
    this.caps = caps;
    this.#home = { id: nodeName(undefined), connection: {} };
    client.on("ready", this.#onReady);
    client.on("error", this.#onError);
  }

  slotOf(key: Arg): number {
    return this.caps.cluster ? slotOf(key) : 0;
  }

  attempt(args: readonly Arg[], route: Route, caller: Caller): void {
    if (this.#closing !== undefined) return caller.failed(new TransportError("closed", "the connection was closed"));
    // Its offline queue would send the command at any later time, long after the caller has given up.
    if (!this.#client.isReady)
      return caller.failed(new TransportError("refused", "the borrowed client is not connected"));
    sendOn(this.#client, args, route, this.#options).then(
      (reply) => caller.replied(reply),
      (error: unknown) => caller.failed(classify(error, nodeName(route))),
    );
  }

  /** A cluster client routes by itself, so its nodes are not known here. */
  home(): Home | undefined {
    return this.caps.cluster ? undefined : this.#home;
  }

  async lease(route: Route, signal: AbortSignal): Promise<TransportLease> {
    const lease = await (await this.#own()).lease(route, signal);
    if (this.caps.cluster) return lease;
    try {
      const database = await this.#database();
      if (database !== this.#settings.database) await lease.attempt(["SELECT", String(database)]);
      return lease;
    } catch (error) {
      lease.destroy();
      throw error;
    }
  }

  async subscribe(kind: ChannelKind, channel: string, listener: ChannelListener): Promise<Subscription> {
    return (await this.#own()).subscribe(kind, channel, listener);
  }

  async onInvalidate(prefix: string, listener: InvalidationListener): Promise<InvalidationSubscription> {
    return (await this.#own()).onInvalidate(prefix, listener);
  }

  nodes(): readonly NodeInfo[] {
    return nodesOf(this.#client, this.#epoch);
  }

  onState(listener: (event: StateEvent) => void): () => void {
    const own = (event: StateEvent): void => guarded("a state listener", listener, () => listener(event));
    this.#stateListeners.add(own);
    return () => void this.#stateListeners.delete(own);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#client.off("ready", this.#onReady);
    this.#client.off("error", this.#onError);
    const aside = await this.#aside?.catch(() => undefined);
    await aside?.close();
    this.#emit("closed");
    this.#stateListeners.clear();
  }

  /** The user's `select()` may have changed it since the client was made, and only the server knows. */
  async #database(): Promise<number> {
    const info = await sendOn(this.#client, ["CLIENT", "INFO"], undefined, this.#options).catch((error: unknown) => {
      const failure = classify(error, nodeName(undefined));
      // A user who may not ask has the database that the client was made with.
      if (failure.kind === "replied") return "";
      throw failure;
    });
    const database = /(?:^| )db=(\d+)/.exec(String(info))?.[1];
    return database === undefined ? this.#settings.database : Number(database);
  }

  async #own(): Promise<Transport> {
    if (this.#closing !== undefined) throw new TransportError("closed", "the connection was closed");
    this.#aside ??= openSettings(this.#settings);
    try {
      return await this.#aside;
    } catch (error) {
      this.#aside = undefined;
      const message = error instanceof Error ? error.message : String(error);
      throw new TransportError("refused", message, { cause: error });
    }
  }

  readonly #onReady = (): void => {
    if (this.#up) return;
    this.#up = true;
    this.#epoch += 1;
    this.#home = { id: nodeName(undefined), connection: {} };
    this.#emit("up");
  };

  readonly #onError = (cause: unknown): void => {
    // A cluster reports the errors of its nodes too, and goes on.
    if (!this.#up || this.#client.isReady) return;
    this.#up = false;
    this.#emit("down", cause);
  };

  #emit(state: StateEvent["state"], cause?: unknown): void {
    for (const { id } of nodesOf(this.#client, this.#epoch)) {
      for (const listener of this.#stateListeners) listener({ state, node: id, epoch: this.#epoch, cause });
    }
  }
}

/** The reply, unless it is overdue or nobody waits for it any more. */
async function answered(
  reply: Promise<Reply>,
  { connectTimeoutMs, runtime }: Settings,
  signal: AbortSignal | undefined,
): Promise<Reply> {
  const answer = deadline(runtime, connectTimeoutMs, reply, () => new ConnectTimeoutError(connectTimeoutMs));
  if (signal === undefined) return answer;
  const given = new Deferred<never>();
  const abandon = (): void => given.reject(signal.reason);
  signal.addEventListener("abort", abandon, { once: true });
  try {
    return await Promise.race([answer, given.promise]);
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

/** Maps as lists, by the list of the client's own realm: node-redis compares with that. HELLO has one among its fields. */
function optionsOfItsRealm(hello: Reply): CommandOptions {
  const { modules } = Object(hello) as { modules?: unknown };
  if (!Array.isArray(modules)) return COMMAND_OPTIONS;
  const { constructor: list } = modules as unknown as { constructor: ArrayConstructor };
  return { ...COMMAND_OPTIONS, typeMapping: { ...COMMAND_OPTIONS.typeMapping, [RESP_TYPES.MAP]: list } };
}

async function sendOn(
  client: BorrowedClient,
  args: readonly Arg[],
  route: Route,
  options: CommandOptions,
): Promise<Reply> {
  if (!isCluster(client)) return client.sendCommand(args, options);
  if (route === undefined || typeof route === "string" || Buffer.isBuffer(route)) {
    return client.sendCommand(route, false, args, options);
  }
  const node = client.nodeByAddress.get(route.node);
  if (node === undefined)
    throw new TransportError("refused", `there is no node ${route.node} (any more)`, { node: route.node });
  return (await client.nodeClient(node)).sendCommand(args, options);
}

function nodeName(route: Route): string {
  return typeof route === "object" && !Buffer.isBuffer(route) ? route.node : "the borrowed client's server";
}
