/** The only place that makes node-redis clients. */
import { BasicPooledClientSideCache, createClient, RESP_TYPES, type TypeMapping } from "@redis/client";
import type { Arg } from "../port.ts";
import {
  type ClientKind,
  type ClientSettings,
  type ClientSetup,
  type Credentials,
  NeverWrittenError,
  type RawClient,
} from "../connection/raw-client.ts";
import type { Address } from "../connection/url.ts";
import { classify, errorPrefix, isOfClass, withoutArguments } from "./classify.ts";
import { oneWritePerTurn } from "./write-together.ts";

type CredentialsProvider = NonNullable<NonNullable<Parameters<typeof createClient>[0]>["credentialsProvider"]>;

export interface CommandOptions {
  readonly typeMapping: TypeMapping;
}

/** Replies in the shape of `Reply`: bulk strings as Buffers, maps flat; sets are arrays by default. */
export const TYPE_MAPPING: TypeMapping = {
  [RESP_TYPES.BLOB_STRING]: Buffer,
  [RESP_TYPES.VERBATIM_STRING]: Buffer,
  [RESP_TYPES.MAP]: Array,
};

/** `timeout: undefined` turns off node-redis' timer per command: it costs up to eight times the throughput. */
export const COMMAND_OPTIONS: CommandOptions & { readonly timeout: undefined } = {
  timeout: undefined,
  typeMapping: TYPE_MAPPING,
};

/** Internal to node-redis, so looked for and not relied on. */
interface Queued {
  _getQueue?(): {
    readonly pendingCount?: number;
    extractAllCommands?(): unknown[];
    rejectCommands?(commands: unknown[], error: Error): void;
  };
}

export const nodeRedis: ClientKind = {
  create: createRawClient,
  classify,
  prefixOf: errorPrefix,
  withoutArguments,
  isDestroyed: (error) => isOfClass(error, "DisconnectsClientError"),
  // node-redis rejects written and unwritten commands alike; only its queue knows which ones were never sent.
  refuseUnwritten(client, cause) {
    const queue = (client as Queued)._getQueue?.();
    if (queue?.extractAllCommands === undefined || queue.rejectCommands === undefined) return;
    queue.rejectCommands(queue.extractAllCommands(), new NeverWrittenError(cause));
  },
  isAwaiting: (client) => (client as Queued)._getQueue?.().pendingCount !== 0,
};

/**
 * Never connected. For each other set of options node-redis makes a class with all commands, which takes about 50 ms of
 * CPU; a duplicate has its pattern's class.
 */
let pattern: ReturnType<typeof createClient> | undefined;

function createRawClient(setup: ClientSetup): RawClient {
  const { settings, credentials, onInvalidate } = setup;
  pattern ??= createClient({ RESP: 3 });
  return pattern.duplicate({
    // As an object, because node-redis' types do not know `signal` and `writev`, which it hands on to net.connect all the same.
    socket: {
      ...target(setup.address, settings),
      signal: setup.signal,
      connectTimeout: settings.connectTimeoutMs,
      reconnectStrategy: false,
      ...oneWritePerTurn,
    } as object,
    ...(credentials === undefined ? {} : { credentialsProvider: credentialsProvider(credentials) }),
    name: settings.clientName,
    database: setup.database,
    disableOfflineQueue: true,
    commandsQueueMaxLength: settings.maxInFlight,
    commandOptions: COMMAND_OPTIONS as object,
    maintNotifications: "disabled",
    ...(onInvalidate === undefined ? {} : { clientSideCache: new InvalidationTap(onInvalidate) }),
  });
}

function credentialsProvider(ask: () => Credentials | Promise<Credentials>): CredentialsProvider {
  return {
    type: "async-credentials-provider",
    credentials: async () => {
      const { username, password } = await ask();
      return username === undefined ? { password } : { username, password };
    },
  };
}

function target(address: Address, settings: ClientSettings): object {
  const { tls } = settings;
  return tls === undefined || "path" in address ? { ...address, tls: false } : { ...tls, ...address, tls: true };
}

/**
 * The way to the `invalidate` pushes of a connection. It caches nothing; and it leaves tracking off, because the
 * handshake would fail for users who may not turn it on: that is asked for later and only where somebody listens.
 */
class InvalidationTap extends BasicPooledClientSideCache {
  readonly #deliver: (key: Buffer | null) => void;

  constructor(deliver: (key: Buffer | null) => void) {
    super({ maxEntries: 1 });
    this.#deliver = deliver;
  }

  /** A command of the handshake that every user may send and that changes nothing. */
  override trackingOn(): string[] {
    return ["HELLO"];
  }

  override invalidate(key: Arg | null): void {
    this.#deliver(typeof key === "string" ? Buffer.from(key) : key);
  }

  override clear(): void {}

  override onError(): void {}

  override onClose(): void {}
}
