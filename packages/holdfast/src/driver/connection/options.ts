/** How to reach the servers: what a user writes (ConnectionOptions) and what it is resolved to, once (Settings). */
import { InvalidArgumentError, said } from "../../base/errors.ts";
import { type Duration, toTimerMs } from "../../base/options.ts";
import { systemRuntime } from "../../base/runtime.ts";
import type { ClientKind, ClientSettings, Credentials, TlsOptions } from "./raw-client.ts";
import { type Address, addressName, type Mode, parseAddress, type ParsedUrl, parseUrl } from "./url.ts";

export interface ConnectionOptions {
  /** Where the servers are: `redis://`, `rediss://`, `redis-sentinel://`, `redis-cluster://`, `unix://` ... @default `HOLDFAST_URL` of the environment, then `REDIS_URL`, then the embedded server */
  readonly url?: string | undefined;
  /** ACL user. Wins over the URL's, unless it is empty. @default the URL's, else the server's `default` user */
  readonly username?: string | undefined;
  /** Wins over the URL's, unless it is empty. @default the URL's, else none */
  readonly password?: string | undefined;
  /** Asked for each new connection, so that rotated passwords work. Wins over `username` and `password`. @default none */
  readonly credentials?: (() => Credentials | Promise<Credentials>) | undefined;
  /** Database number; a cluster has only 0, except Valkey 9 with `cluster-databases`. @default the URL's, else 0 */
  readonly database?: number | undefined;
  /** true, or what TLS shall use. A `rediss:` URL turns it on as well. @default false */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Name of the connections in CLIENT LIST. @default "holdfast" */
  readonly clientName?: string | undefined;
  /** Limit for one connection to be made, handshake included, and for the first `connect()`. @default "5s" */
  readonly connectTimeout?: Duration | undefined;
  /** An idle or busy connection is asked for a sign of life this often. @default "2s" */
  readonly pingInterval?: Duration | undefined;
  /** A connection that has not answered a ping for so long is closed and made again. @default "5s" */
  readonly pingTimeout?: Duration | undefined;
  /** How long `close()` waits for answers that are under way. @default "1s" */
  readonly drainTimeout?: Duration | undefined;
  /** Commands that may be unanswered on one connection; more are refused. @default 100000 */
  readonly maxInFlight?: number | undefined;
  /** Exclusive connections per node, for blocking commands and transactions. @default 16 */
  readonly maxLeases?: number | undefined;
  /** ACL user of the sentinels themselves. @default none */
  readonly sentinelUsername?: string | undefined;
  /** Password of the sentinels themselves. @default none */
  readonly sentinelPassword?: string | undefined;
  /**
   * Where this process reaches a node that announces itself under an address of another network (NAT, containers):
   * announced `host:port` to reachable `host:port`. @default as announced
   */
  readonly addressMap?: Readonly<Record<string, string>> | undefined;
}

/** Of a network that is known: whether something may be lost, or late, without a word to anybody. */
export interface Silences {
  readonly arePossible: boolean;
  /** Calls `listener` once, when they become possible. Returns the function that takes it back. */
  whenPossible(listener: () => void): () => void;
}

export interface Settings extends ClientSettings {
  /** The package whose clients carry the connections. */
  readonly client: ClientKind;
  /** Pings find connections at whose other end nobody is any more. */
  readonly watched: boolean;
  /** Of the network, where it is known: while nothing can be lost, no pings are needed. */
  readonly silences?: Silences | undefined;
  /** Connections that are given up are fenced off. Off only to show what happens where that is not possible. */
  readonly fenced: boolean;
  readonly mode: Mode;
  readonly addresses: readonly Address[];
  readonly masterName: string;
  readonly database: number;
  readonly credentials: (() => Credentials | Promise<Credentials>) | undefined;
  readonly sentinelCredentials: (() => Credentials) | undefined;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly maxLeases: number;
  /** The address to dial for an announced one. */
  readonly reach: (host: string, port: number) => Address;
}

const DEFAULT_URL = "redis://127.0.0.1:6379";
const CLIENT_NAME = /^[!-~]+$/;

/** Everything checked and defaulted; throws InvalidArgumentError naming the field. */
export function resolveOptions(options: ConnectionOptions, client: ClientKind): Settings {
  const url = parseUrl(text("url", options.url) ?? DEFAULT_URL);
  const tls = resolveTls(options.tls, url);
  return {
    client,
    runtime: systemRuntime,
    watched: true,
    fenced: true,
    mode: url.mode,
    addresses: url.addresses,
    masterName: url.masterName ?? "",
    database: resolveDatabase(options.database ?? url.database ?? 0),
    tls,
    clientName: resolveClientName(options.clientName ?? "holdfast"),
    credentials: resolveCredentials(options, url),
    sentinelCredentials: fixedCredentials(
      filled("sentinelUsername", options.sentinelUsername),
      filled("sentinelPassword", options.sentinelPassword),
      "sentinelPassword",
    ),
    connectTimeoutMs: toTimerMs("connectTimeout", options.connectTimeout ?? "5s"),
    pingIntervalMs: toTimerMs("pingInterval", options.pingInterval ?? "2s"),
    pingTimeoutMs: toTimerMs("pingTimeout", options.pingTimeout ?? "5s"),
    drainTimeoutMs: toTimerMs("drainTimeout", options.drainTimeout ?? "1s", 0),
    maxInFlight: count("maxInFlight", options.maxInFlight ?? 100_000),
    maxLeases: count("maxLeases", options.maxLeases ?? 16),
    reach: resolveReach(options.addressMap ?? {}),
  };
}

function resolveTls(tls: boolean | TlsOptions | undefined, url: ParsedUrl): TlsOptions | undefined {
  if (tls === false && url.tls) throw new InvalidArgumentError("tls", "true with a URL that asks for TLS", tls);
  if (tls === undefined || typeof tls === "boolean") return tls === true || url.tls ? {} : undefined;
  if (typeof tls !== "object" || tls === null) throw new InvalidArgumentError("tls", "a boolean or TLS options", tls);
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new InvalidArgumentError(
      "tls",
      "cert and key together",
      said(tls.cert === undefined ? "only key" : "only cert"),
    );
  }
  return tls;
}

function resolveDatabase(database: number): number {
  if (!Number.isInteger(database) || database < 0) {
    throw new InvalidArgumentError("database", "a whole number from 0", database);
  }
  return database;
}

function resolveClientName(name: string): string {
  if (typeof name === "string" && CLIENT_NAME.test(name)) return name;
  throw new InvalidArgumentError("clientName", "printable ASCII without spaces", name);
}

function resolveCredentials(options: ConnectionOptions, url: ParsedUrl): Settings["credentials"] {
  if (options.credentials !== undefined) {
    if (typeof options.credentials === "function") return options.credentials;
    throw new InvalidArgumentError(
      "credentials",
      "a function that returns { username, password }",
      options.credentials,
    );
  }
  const username = filled("username", options.username) ?? url.username;
  const password = filled("password", options.password) ?? url.password;
  return fixedCredentials(username, password, "password");
}

function fixedCredentials(
  username: string | undefined,
  password: string | undefined,
  field: string,
): (() => Credentials) | undefined {
  // Who gives no password is the default user, with that name or without one.
  if (password === undefined && (username ?? "default") === "default") return undefined;
  if (password === undefined) throw new InvalidArgumentError(field, "a password for the user", password);
  return () => ({ username, password });
}

function resolveReach(map: Readonly<Record<string, string>>): Settings["reach"] {
  const mapped = new Map<string, Address>();
  for (const [announced, reachable] of Object.entries(map)) {
    const from = addressName(parseAddress("addressMap", announced, 6379));
    mapped.set(from, parseAddress(`addressMap ${announced}`, reachable, 6379));
  }
  return (host, port) => mapped.get(addressName({ host, port })) ?? { host, port };
}

/** Strings only; the value itself is never shown, it may be a secret. */
function text(field: string, value: string | undefined): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new InvalidArgumentError(field, "a string", value);
}

/** As `text`; one that is empty, as a variable of the environment may be, says nothing. */
function filled(field: string, value: string | undefined): string | undefined {
  return text(field, value) || undefined;
}

function count(field: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError(field, "a whole number of at least 1", value);
}
