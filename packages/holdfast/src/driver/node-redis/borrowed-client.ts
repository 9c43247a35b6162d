/** A user's own node-redis client: what is used of it, which kinds are accepted, and how it reaches its servers. */
import { InvalidArgumentError, said } from "../../base/errors.ts";
import type { Arg, NodeInfo, Reply } from "../port.ts";
import { type CommandOptions, nodeRedis } from "./client.ts";
import { type ConnectionOptions, resolveOptions, type Settings } from "../connection/options.ts";
import type { Credentials, TlsOptions } from "../connection/raw-client.ts";
import { type Address, addressName } from "../connection/url.ts";

interface Emitter {
  on(event: string, listener: (cause: unknown) => void): unknown;
  off(event: string, listener: (cause: unknown) => void): unknown;
}

/** A client of `createClient()`, connected, with RESP 3. */
export interface BorrowedSingle extends Emitter {
  readonly isReady: boolean;
  readonly socketEpoch: number;
  /** What it was made with. */
  readonly options: object;
  sendCommand(args: readonly Arg[], options?: CommandOptions): Promise<Reply>;
}

/** A client of `createCluster()`, connected, with RESP 3. */
export interface BorrowedCluster extends Emitter {
  readonly isReady: boolean;
  readonly masters: readonly { readonly address: string }[];
  readonly nodeByAddress: ReadonlyMap<string, { readonly address: string }>;
  /** What it was made with. */
  readonly _options: object;
  nodeClient(node: { readonly address: string }): BorrowedSingle | Promise<BorrowedSingle>;
  sendCommand(
    firstKey: Arg | undefined,
    isReadonly: boolean | undefined,
    args: readonly Arg[],
    options?: CommandOptions,
  ): Promise<Reply>;
}

export type BorrowedClient = BorrowedSingle | BorrowedCluster;

interface ClientOptions {
  readonly RESP?: number | undefined;
  readonly socket?: SocketOptions | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly credentialsProvider?: { readonly type: string; credentials?(): Promise<Partial<Credentials>> } | undefined;
  readonly database?: number | undefined;
}

type SocketOptions = Omit<TlsOptions, "ca"> & { readonly ca?: TlsOptions["ca"] } & {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly tls?: boolean | undefined;
};

interface ClusterOptions {
  readonly RESP?: number | undefined;
  readonly rootNodes: readonly (ClientOptions & { readonly url?: string | undefined })[];
  readonly defaults?: ClientOptions | undefined;
  readonly nodeAddressMap?: Readonly<Record<string, { host: string; port: number }>> | ((address: string) => unknown);
}

/** Options for the connections that are ours. */
export type OwnOptions = Pick<ConnectionOptions, "maxLeases" | "connectTimeout" | "pingInterval" | "pingTimeout">;

export function isCluster(client: BorrowedClient): client is BorrowedCluster {
  return "masters" in client;
}

/** Refuses what the library could not use truthfully. */
export function checkBorrowed(client: BorrowedClient): void {
  const known = typeof client === "object" && client !== null && ("masters" in client || "socketEpoch" in client);
  if (!known)
    throw new InvalidArgumentError("client", "a client of createClient() or createCluster()", said("another object"));
  const { RESP } = isCluster(client) ? clusterOptions(client) : clientOptions(client);
  if (RESP === 2)
    throw new InvalidArgumentError("client", "a client with RESP 3, which is its default", said("RESP: 2"));
}

/** How to reach the same servers with the same rights, for connections beside the borrowed one. */
export function settingsOf(client: BorrowedClient, own: OwnOptions): Settings {
  const base = resolveOptions(own, nodeRedis);
  if (!isCluster(client))
    return { ...base, ...accessOf(clientOptions(client)), addresses: [addressOf(clientOptions(client))] };
  const { rootNodes, defaults = {}, nodeAddressMap = {} } = clusterOptions(client);
  const roots = rootNodes.map((root) =>
    root.url === undefined ? { ...defaults, ...root } : { ...defaults, ...fromUrl(root.url) },
  );
  return {
    ...base,
    ...accessOf(roots[0] ?? defaults),
    mode: "cluster",
    addresses: roots.map(addressOf),
    reach: (host, port) => mapAddress(nodeAddressMap, host, port),
  };
}

export function nodesOf(client: BorrowedClient, epoch: number): NodeInfo[] {
  const state = client.isReady ? "up" : "down";
  const ids = isCluster(client)
    ? client.masters.map(({ address }) => address)
    : [addressName(addressOf(clientOptions(client)))];
  return ids.map((id) => ({ id, state, epoch }));
}

function clientOptions(client: BorrowedSingle): ClientOptions {
  return client.options;
}

function clusterOptions(client: BorrowedCluster): ClusterOptions {
  return client._options as ClusterOptions;
}

function accessOf(options: ClientOptions): Pick<Settings, "credentials" | "database" | "tls"> {
  const { socket = {}, credentialsProvider, username, password, database = 0 } = options;
  const tls = socket.tls === true ? tlsOf(socket) : undefined;
  if (credentialsProvider?.credentials !== undefined) {
    const ask = credentialsProvider.credentials.bind(credentialsProvider);
    return { database, tls, credentials: async () => asCredentials(await ask()) };
  }
  if (credentialsProvider !== undefined) {
    throw new InvalidArgumentError("client", "fixed or asynchronous credentials", said("streaming credentials"));
  }
  return { database, tls, credentials: password === undefined ? undefined : () => ({ username, password }) };
}

/** Whatever decides whom this side trusts and who it is, also where `TlsOptions` has no name for it. */
const TLS_FIELDS: ReadonlySet<string> = new Set(
  (
    "ca cert key pfx passphrase servername rejectUnauthorized checkServerIdentity secureContext crl ciphers sigalgs " +
    "ecdhCurve minVersion maxVersion ALPNProtocols"
  ).split(" "),
);

function tlsOf(socket: object): TlsOptions {
  return Object.fromEntries(Object.entries(socket).filter(([name]) => TLS_FIELDS.has(name)));
}

function asCredentials({ username, password }: Partial<Credentials>): Credentials {
  return { username, password: password ?? "" };
}

function addressOf({ socket = {} }: ClientOptions): Address {
  if (socket.path !== undefined) return { path: socket.path };
  return { host: socket.host ?? "localhost", port: socket.port ?? 6379 };
}

function fromUrl(url: string): ClientOptions {
  const { addresses, credentials, database, tls } = resolveOptions({ url }, nodeRedis);
  const fixed = credentials?.() as Credentials | undefined;
  return { socket: { ...addresses[0], tls: tls !== undefined }, ...fixed, database };
}

function mapAddress(map: NonNullable<ClusterOptions["nodeAddressMap"]>, host: string, port: number): Address {
  const announced = `${host}:${port}`;
  const mapped = typeof map === "function" ? (map(announced) as Address | undefined) : map[announced];
  return mapped ?? { host, port };
}
