/** From what a user writes (a URL, options, a client of their own) to a handle. */
import { InvalidArgumentError } from "./base/errors.ts";
import { type OptionNames, parseOptions, withoutUndefined } from "./base/options.ts";
import { type Runtime, systemRuntime } from "./base/runtime.ts";
import { type CodecOptions, createCodec } from "./core/codec/codec.ts";
import { Core, type CoreOptions } from "./core/core.ts";
import { checkHooks, type TraceHooks } from "./core/observe/trace.ts";
import { Keyspace } from "./core/keyspace/keyspace.ts";
import { type ConnectionOptions, resolveOptions } from "./driver/connection/options.ts";
import { addressName } from "./driver/connection/url.ts";
import { DeferredTransport, type Opening } from "./driver/connection/deferred.ts";
import { withoutUrl } from "./driver/embedded/default.ts";
import { checkEmbedded, isEmbeddedUrl } from "./driver/embedded/url.ts";
import { openBorrowed, prepareBorrowed } from "./driver/node-redis/borrowed.ts";
import type { BorrowedClient } from "./driver/node-redis/borrowed-client.ts";
import { nodeRedis } from "./driver/node-redis/client.ts";
import { openServers } from "./driver/node-redis/open.ts";
import type { Transport } from "./driver/port.ts";
import { createDriver, type ResilienceOptions } from "./driver/resilience/driver.ts";
import { resolveResilience } from "./driver/resilience/options.ts";
import { Holdfast } from "./holdfast.ts";
import { type RedlockOptions, redlockSettings } from "./redlock/options.ts";
import { checkServers, Redlock } from "./redlock/redlock.ts";

export interface ConnectOptions
  extends
    ConnectionOptions,
    ResilienceOptions,
    Pick<CodecOptions<unknown>, "serializer" | "reads" | "compress" | "encrypt"> {
  /** Begins the name of every key and channel. @default "hf" */
  readonly prefix?: string;
  /** How your tracer is asked, so that jobs carry the trace of who added them to their handlers. @default no tracing */
  readonly trace?: TraceHooks;
}

const NAMES: OptionNames<ConnectOptions> = {
  url: true,
  username: true,
  password: true,
  credentials: true,
  database: true,
  tls: true,
  clientName: true,
  connectTimeout: true,
  pingInterval: true,
  pingTimeout: true,
  drainTimeout: true,
  maxInFlight: true,
  maxLeases: true,
  sentinelUsername: true,
  sentinelPassword: true,
  addressMap: true,
  timeout: true,
  maxWaiting: true,
  retryBudget: true,
  breaker: true,
  breakerFailures: true,
  breakerCoolDown: true,
  closeTimeout: true,
  serializer: true,
  reads: true,
  compress: true,
  encrypt: true,
  prefix: true,
  trace: true,
};

/** How to open what was asked for, once everything that can be checked without a server has been. */
interface Plan {
  readonly where: string;
  readonly open: (opening: Opening) => Promise<Transport>;
}

type Target = string | ConnectOptions | BorrowedClient | undefined;

/**
 * Returns a handle at once and connects in the background. Calls wait for the first connection inside their deadlines, and
 * a server that comes up later is found then. While nothing but a change can help (a wrong password, a certificate) every
 * call rejects with that error at once, and connecting is tried again every 2 to 30 s.
 * `target` is what `connect` takes.
 * @throws InvalidArgumentError for a bad option, before anything is opened.
 * @example
 * const hf = holdfast(process.env.REDIS_URL, { prefix: "shop" });
 */
export function holdfast(target?: string | ConnectOptions): Holdfast;
export function holdfast(target: string | BorrowedClient | undefined, options?: ConnectOptions): Holdfast;
export function holdfast(target?: Target, options?: ConnectOptions): Holdfast {
  return begin("holdfast", target, options).hf;
}

/**
 * Connects and resolves once the server has answered. Without a URL: `HOLDFAST_URL`, then `REDIS_URL`, then the embedded
 * server of this process, which is said on stderr once, and refused where `NODE_ENV` is `production`.
 * `embedded://` asks for that server, `embedded://path` for one that keeps a snapshot in that file.
 * A node-redis client or cluster client of your own may be handed in: it is borrowed and never closed.
 * @throws InvalidArgumentError for a bad option, before anything is opened.
 * @throws HoldfastError `AUTH`, `UNAVAILABLE`, `PERMISSION` ... when the first connection cannot be made in time.
 * @example
 * await using hf = await connect("redis://localhost:6379");
 */
export function connect(target?: string | ConnectOptions): Promise<Holdfast>;
export function connect(target: string | BorrowedClient | undefined, options?: ConnectOptions): Promise<Holdfast>;
export async function connect(target?: Target, options?: ConnectOptions): Promise<Holdfast> {
  return established(begin("connect", target, options));
}

/**
 * Locks that a majority of independent servers keeps. `servers` are handles, URLs, or what `connect` takes as options: three or more,
 * five as a rule. A handle stays yours; what is opened for a URL is closed by `close()`. Connects in the background, as `holdfast` does.
 * @throws InvalidArgumentError for a bad option, before anything is opened
 * @example
 * await using red = redlock([hfA, hfB, hfC]);
 * await using held = await red.lock("invoice:42", { ttl: "10s" }).acquire();
 */
export function redlock(servers: readonly (Holdfast | string | ConnectOptions)[], options?: RedlockOptions): Redlock {
  const opened: Holdfast[] = [];
  const close = async (): Promise<void> => void (await Promise.all(opened.map((handle) => handle.close())));
  redlockSettings(options);
  try {
    const cores = checkServers(servers).map((server) => {
      const given = Holdfast.coreOf(server);
      if (given !== undefined) return given;
      const { hf } = begin("redlock", server as string | ConnectOptions, undefined);
      opened.push(hf);
      return Holdfast.coreOf(hf)!;
    });
    return new Redlock(cores, options, close);
  } catch (error) {
    void close();
    throw error;
  }
}

/** The handle over a transport that somebody else makes, once it is open. */
export function assemble(
  options: ConnectOptions,
  open: (opening: Opening) => Promise<Transport>,
  runtime: Runtime,
): Promise<Holdfast> {
  const given = parseOptions("connect", options, NAMES, (checked) => checked);
  return established(start(given, { where: "embedded", open }, runtime));
}

interface Begun {
  readonly hf: Holdfast;
  readonly first: Promise<unknown>;
}

async function established({ hf, first }: Begun): Promise<Holdfast> {
  try {
    await first;
    return hf;
  } catch (error) {
    await hf.close();
    throw error;
  }
}

function begin(where: string, target: Target, options: ConnectOptions | undefined): Begun {
  if (isClient(target)) {
    return parseOptions(where, options, NAMES, (given) => start(given, borrow(target, given), systemRuntime));
  }
  if (typeof target === "object" && options !== undefined)
    throw new InvalidArgumentError("options", "one object, with `url` in it", options, { where });
  const both = typeof target === "object" ? target : options;
  return parseOptions(where, both, NAMES, (given) => {
    if (target !== undefined && typeof target !== "object" && typeof target !== "string")
      throw new InvalidArgumentError("url", "a URL, options or a node-redis client", target);
    return start(given, plan(typeof target === "string" ? { ...given, url: target } : given), systemRuntime);
  });
}

function plan(options: ConnectOptions): Plan {
  const { HOLDFAST_URL, REDIS_URL } = process.env;
  // A variable that is set to nothing says nothing.
  const url = options.url ?? (HOLDFAST_URL || REDIS_URL || withoutUrl(process.env));
  const given = { ...options, url };
  if (typeof url === "string" && isEmbeddedUrl(url)) {
    checkEmbedded(given);
    return { where: "embedded", open: (opening) => openInProcess(given, opening) };
  }
  const settings = resolveOptions(given, nodeRedis);
  return { where: addressName(settings.addresses[0]!), open: (opening) => openServers(settings, opening) };
}

/** The server is loaded only where it is used: with a real one it never is. */
async function openInProcess(
  given: ConnectionOptions & { readonly url: string },
  opening: Opening,
): Promise<Transport> {
  const { openEmbedded } = await import("./driver/embedded/open.ts");
  return openEmbedded(given, opening);
}

function borrow(client: BorrowedClient, options: ConnectOptions): Plan {
  const settings = prepareBorrowed(client, options);
  return {
    where: "the borrowed client's server",
    open: (opening) => openBorrowed(client, settings, opening),
  };
}

function start(options: ConnectOptions, { where, open }: Plan, runtime: Runtime): Begun {
  const core = coreOptions(options);
  const transport = new DeferredTransport({ where, runtime, open });
  return { hf: new Holdfast(new Core(createDriver(transport, options, runtime), core)), first: transport.first };
}

/** Everything besides the connection is checked here, so that a bad option costs none. */
function coreOptions(options: ConnectOptions): CoreOptions {
  const { prefix = "hf", serializer, reads, compress, encrypt, trace } = options;
  const codec = withoutUndefined<CodecOptions<unknown>>({ serializer, reads, compress, encrypt });
  createCodec(codec);
  resolveResilience(options);
  return { keys: new Keyspace(prefix), codec, trace: checkHooks(trace) };
}

function isClient(target: unknown): target is BorrowedClient {
  return typeof target === "object" && target !== null && "sendCommand" in target;
}
