/** From what a user writes (a URL, options, a client of their own) to a handle. */
import { type CodecOptions, createCodec } from "./core/codec/codec.ts";
import { Core, type CoreOptions } from "./core/core.ts";
import { withoutUrl } from "./driver/embedded/default.ts";
import { isEmbeddedUrl } from "./driver/embedded/url.ts";
import { createBorrowedTransport } from "./driver/node-redis/borrowed.ts";
import type { BorrowedClient } from "./driver/node-redis/borrowed-client.ts";
import type { ConnectionOptions } from "./driver/connection/options.ts";
import { openTransport } from "./driver/node-redis/open.ts";
import type { Transport } from "./driver/port.ts";
import { Holdfast } from "./holdfast.ts";
import { Keyspace } from "./core/keyspace/keyspace.ts";
import { createDriver, type ResilienceOptions } from "./driver/resilience/driver.ts";
import { resolveResilience } from "./driver/resilience/options.ts";
import type { Runtime } from "./base/runtime.ts";

export interface ConnectOptions
  extends ConnectionOptions, ResilienceOptions, Pick<CodecOptions<unknown>, "serializer" | "compress" | "encrypt"> {
  /** Begins the name of every key and channel. @default "hf" */
  readonly prefix?: string;
}

/**
 * Connects and resolves once the server has answered. Without a URL: `HOLDFAST_URL`, then `REDIS_URL`, then the embedded
 * server of this process, which is said on stderr once, and refused where `NODE_ENV` is `production`.
 * `embedded://` asks for that server, `embedded://path` for one that keeps a snapshot in that file.
 * A node-redis client or cluster client of your own may be handed in: it is borrowed and never closed.
 * @throws InvalidArgumentError for a bad option, before anything is opened.
 * @throws HoldfastError `AUTH`, `UNAVAILABLE`, `PERMISSION` ... when the first connection cannot be made in time.
 */
export function connect(target?: string | ConnectOptions): Promise<Holdfast>;
export function connect(target: string | BorrowedClient | undefined, options?: ConnectOptions): Promise<Holdfast>;
export async function connect(
  target?: string | ConnectOptions | BorrowedClient,
  options: ConnectOptions = {},
): Promise<Holdfast> {
  if (isClient(target)) return assemble(options, () => createBorrowedTransport(target, options));
  const given: ConnectOptions =
    typeof target === "object" && target !== null ? target : { ...options, url: target ?? options.url };
  return assemble(given, async () => {
    const url = given.url ?? process.env["HOLDFAST_URL"] ?? process.env["REDIS_URL"] ?? withoutUrl(process.env);
    if (!isEmbeddedUrl(url)) return openTransport({ ...given, url });
    // Loaded only where it is used: with a real server it never is.
    const { openEmbedded } = await import("./driver/embedded/open.ts");
    return openEmbedded({ ...given, url });
  });
}

/** The handle over a transport, which is opened once the options that do not concern it are checked. */
export async function assemble(
  options: ConnectOptions,
  open: () => Promise<Transport>,
  runtime?: Runtime,
): Promise<Holdfast> {
  const core = coreOptions(options);
  return new Holdfast(new Core(createDriver(await open(), options, runtime), core));
}

/** Everything besides the connection is checked here, so that a bad option costs none. */
function coreOptions(options: ConnectOptions): CoreOptions {
  const { prefix = "hf", serializer, compress, encrypt } = options;
  const codec: CodecOptions<unknown> = {
    ...(serializer === undefined ? {} : { serializer }),
    ...(compress === undefined ? {} : { compress }),
    ...(encrypt === undefined ? {} : { encrypt }),
  };
  createCodec(codec);
  resolveResilience(options);
  return { keys: new Keyspace(prefix), codec };
}

function isClient(target: unknown): target is BorrowedClient {
  return typeof target === "object" && target !== null && "sendCommand" in target;
}
