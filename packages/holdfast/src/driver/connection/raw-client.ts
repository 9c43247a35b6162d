/** The client of one connection as this folder uses it: what another package must offer to carry our connections. */
import type { Arg, Reply, TransportError } from "../port.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { Address } from "./url.ts";

export interface Credentials {
  readonly username?: string | undefined;
  readonly password: string;
}

export interface TlsOptions {
  /** Certificate authorities, PEM. @default the ones that Node.js trusts */
  readonly ca?: string | Buffer | (string | Buffer)[] | undefined;
  /** The client's certificate, PEM. @default none */
  readonly cert?: string | Buffer | undefined;
  /** The client's private key, PEM. @default none */
  readonly key?: string | Buffer | undefined;
  /** The name that the server's certificate must carry. @default the host of the URL */
  readonly servername?: string | undefined;
  /** false accepts any certificate; for experiments only. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** What a client needs to know of the settings. */
export interface ClientSettings {
  readonly runtime: Runtime;
  readonly tls: TlsOptions | undefined;
  readonly clientName: string;
  readonly connectTimeoutMs: number;
  readonly maxInFlight: number;
}

export type MessageListener = (message: Buffer, channel: Buffer) => void;

type SubscribeCommand = (channel: string, listener: MessageListener, bufferMode: true) => Promise<void>;

/** A client for exactly one connection: it never reconnects and never queues while it is not connected. */
export interface RawClient {
  sendCommand(args: readonly Arg[]): Promise<Reply>;
  connect(): Promise<unknown>;
  close(): Promise<void>;
  destroy(): void;
  on(event: "error", listener: (error: unknown) => void): unknown;
  on(event: "sharded-channel-moved", listener: (channel: string) => void): unknown;
  SUBSCRIBE: SubscribeCommand;
  UNSUBSCRIBE: SubscribeCommand;
  PSUBSCRIBE: SubscribeCommand;
  PUNSUBSCRIBE: SubscribeCommand;
  SSUBSCRIBE: SubscribeCommand;
  SUNSUBSCRIBE: SubscribeCommand;
}

export interface ClientSetup {
  readonly settings: ClientSettings;
  readonly address: Address;
  readonly credentials: (() => Credentials | Promise<Credentials>) | undefined;
  readonly database: number;
  /** Destroys the socket in whatever state it is, also while its TCP connect is under way. */
  readonly signal: AbortSignal;
  /** One invalidated key, or null for all of them. Must not throw. */
  readonly onInvalidate: ((key: Buffer | null) => void) | undefined;
}

/** One package's clients: how they are made and what their errors mean. */
export interface ClientKind {
  create(setup: ClientSetup): RawClient;
  /** Whether a command that failed can have been executed. */
  classify(error: unknown, node: string): TransportError;
  /** First word of a server's error, in capitals; "" for anything that is not the server's word. */
  prefixOf(error: unknown): string;
  /** Cuts from a server's error what it quotes of a command: a password, a value. */
  withoutArguments(error: unknown): void;
  /** The client's own word for a connection that we have destroyed. */
  isDestroyed(error: unknown): boolean;
  /** Rejects what the client has not written yet with a NeverWrittenError, before it is destroyed. */
  refuseUnwritten(client: RawClient, cause: unknown): void;
  /** Whether a command was written that has no answer yet. True where that is not known. */
  isAwaiting(client: RawClient): boolean;
}

/** A command that was still waiting to be written when its connection ended. */
export class NeverWrittenError extends Error {
  override readonly name: string = "NeverWrittenError";
  constructor(cause: unknown) {
    super("the connection ended before the command was written", { cause });
  }
}
