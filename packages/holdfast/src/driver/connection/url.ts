/**
 * Connection URLs.
 *
 *     redis://[user[:password]@]host[:port][/database]            also valkey://, and rediss:// or valkeys:// with TLS
 *     redis-sentinel://h1[:port],h2,h3/master-name[/database]     also rediss-sentinel://, valkey-sentinel:// ...
 *     redis-cluster://h1[:port],h2,h3[/database]                  also rediss-cluster://, valkey-cluster:// ...
 *     unix:///path/to/socket[?db=1]                               also redis+unix://, valkey+unix://
 *
 * `?tls=true` is the same as the `s` in the scheme. User and password are percent-decoded.
 * No message made here contains the user information of a URL.
 */
import { InvalidArgumentError, said } from "../../base/errors.ts";

export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

export type Mode = "standalone" | "sentinel" | "cluster";

export interface ParsedUrl {
  readonly mode: Mode;
  readonly addresses: readonly Address[];
  readonly tls: boolean;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: number | undefined;
  readonly masterName?: string | undefined;
}

/** Whatever part of a URL is wrong: a password with a character that was not encoded ends up in any of them. */
const NOT_SHOWN = said("something else (not shown, because it may hold a password)");
const URL_PARTS = /^([a-z+-]+):\/\/(?:([^@/?#]*)@)?([^@/?#]*)(\/[^@?#]*)?(?:\?([^#]*))?$/i;
const SCHEME = /^(?:redis|valkey)(s?)(?:-(sentinel|cluster))?$/;
const UNIX_SCHEME = /^(?:redis\+|valkey\+)?unix$/;
const HOST = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+))(?::(\d+))?$/i;
const DEFAULT_PORT = { standalone: 6379, cluster: 6379, sentinel: 26_379 } as const;
const MAX_PORT = 65_535;

export function parseUrl(url: string): ParsedUrl {
  const parts = URL_PARTS.exec(url);
  if (parts === null)
    throw refuse("a URL such as redis://user:password@host:6379/0, user and password percent-encoded");
  const [, scheme = "", userInfo = "", hosts = "", path = "", query = ""] = parts;
  const parameters = readQuery(query);
  const credentials = readUserInfo(userInfo);
  if (UNIX_SCHEME.test(scheme.toLowerCase())) return { ...unixSocket(hosts, path, parameters), ...credentials };

  const known = SCHEME.exec(scheme.toLowerCase());
  if (known === null) throw refuse("a scheme such as redis, rediss, valkey, redis-sentinel or redis-cluster");
  const mode = (known[2] ?? "standalone") as Mode;
  const addresses = hosts.split(",").map((host) => parseAddress("url", host, DEFAULT_PORT[mode]));
  if (mode === "standalone" && addresses.length > 1) {
    throw refuse("one host; several belong to a redis-sentinel:// or redis-cluster:// URL");
  }
  const tls = known[1] === "s" || parameters.get("tls") === "true";
  return { mode, addresses, tls, ...credentials, ...readPath(mode, path, parameters) };
}

/** `host`, `host:port`, `[v6]` or `[v6]:port`. */
export function parseAddress(field: string, text: string, defaultPort: number): { host: string; port: number } {
  const match = HOST.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port < 1 || port > MAX_PORT) {
    throw new InvalidArgumentError(field, "hosts written host or host:port", text === "" ? said("no host") : NOT_SHOWN);
  }
  return { host, port };
}

/** The name of an address in messages and as a node's id. */
export function addressName(address: Address): string {
  if ("path" in address) return address.path;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** "" for a socket file. */
export function hostOf(address: Address): string {
  return "host" in address ? address.host : "";
}

/** A database number, refused by the field's name when it is not one. */
export function parseDatabase(field: string, text: string): number {
  const database = Number(text);
  if (/^\d{1,5}$/.test(text)) return database;
  throw new InvalidArgumentError(field, "a database number such as 0", NOT_SHOWN);
}

function readPath(mode: Mode, path: string, parameters: ReadonlyMap<string, string>): Partial<ParsedUrl> {
  const segments = path.split("/").filter((segment) => segment !== "");
  const masterName = mode === "sentinel" ? segments.shift() : undefined;
  if (mode === "sentinel" && masterName === undefined) {
    throw refuse("the master's name after the hosts: redis-sentinel://h1,h2,h3/master-name");
  }
  if (segments.length > 1) throw refuse("nothing after the database number");
  const database = segments[0] ?? parameters.get("db");
  return {
    ...(masterName === undefined ? {} : { masterName: decode(masterName, "master name") }),
    ...(database === undefined ? {} : { database: parseDatabase("url database", database) }),
  };
}

function unixSocket(host: string, path: string, parameters: ReadonlyMap<string, string>): ParsedUrl {
  if (host !== "" || path.length < 2) throw refuse("a socket written unix:///path/to/socket");
  const database = parameters.get("db");
  return {
    mode: "standalone",
    addresses: [{ path: decode(path, "path") }],
    tls: false,
    ...(database === undefined ? {} : { database: parseDatabase("url database", database) }),
  };
}

function readUserInfo(userInfo: string): Pick<ParsedUrl, "username" | "password"> {
  const [username, password] = splitOnce(userInfo, ":");
  return {
    ...(username === "" ? {} : { username: decode(username, "user name") }),
    ...(password === "" ? {} : { password: decode(password, "password") }),
  };
}

function readQuery(query: string): ReadonlyMap<string, string> {
  const parameters = new Map(new URLSearchParams(query));
  for (const [name, value] of parameters) {
    if (name === "db") continue;
    if (name !== "tls") throw refuse(`only the parameters tls and db`);
    if (value !== "true" && value !== "false") throw refuse("tls=true or tls=false");
  }
  return parameters;
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse(`a percent-encoded ${part}`);
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function refuse(expected: string): InvalidArgumentError {
  return new InvalidArgumentError("url", expected, NOT_SHOWN);
}
