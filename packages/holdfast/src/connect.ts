/** From what a user writes (a URL, options, a client of their own) to a handle. */
import type { CodecOptions } from "./codec/codec.ts";
import { Core } from "./core.ts";
import { createBorrowedTransport } from "./driver/node-redis/borrowed.ts";
import type { BorrowedClient } from "./driver/node-redis/borrowed-client.ts";
import type { ConnectionOptions } from "./driver/node-redis/options.ts";
import { openTransport } from "./driver/node-redis/open.ts";
import type { Transport } from "./driver/port.ts";
import { InvalidArgumentError } from "./errors.ts";
import { Holdfast } from "./holdfast.ts";
import { createDriver } from "./resilience/driver.ts";
import type { ResilienceOptions } from "./resilience/driver.ts";

export interface ConnectOptions
  extends ConnectionOptions, ResilienceOptions, Pick<CodecOptions<unknown>, "serializer" | "compress" | "encrypt"> {
  /** Begins the name of every key and channel. @default "hf" */
  readonly prefix?: string;
}

/**
 * Connects and resolves once the server has answered. Without a URL: `HOLDFAST_URL`, then `REDIS_URL`.
 * A node-redis client or cluster client of your own may be handed in: it is borrowed and never closed.
 * @throws HoldfastError `AUTH`, `UNAVAILABLE`, `PERMISSION` ... when the first connection cannot be made in time.
 */
export function connect(target?: string | ConnectOptions): Promise<Holdfast>;
export function connect(target: string | BorrowedClient, options?: ConnectOptions): Promise<Holdfast>;
export async function connect(
  target?: string | ConnectOptions | BorrowedClient,
  options: ConnectOptions = {},
): Promise<Holdfast> {
  if (isClient(target)) return handle(await createBorrowedTransport(target, options), options);
  const given: ConnectOptions = typeof target === "string" ? { ...options, url: target } : { ...target };
  const url = given.url ?? process.env["HOLDFAST_URL"] ?? process.env["REDIS_URL"];
  if (url === undefined) {
    throw new InvalidArgumentError(
      "url",
      "a URL such as redis://localhost:6379, or one in HOLDFAST_URL or REDIS_URL",
      url,
    );
  }
  return handle(await openTransport({ ...given, url }), given);
}

function handle(transport: Transport, options: ConnectOptions): Holdfast {
  const { serializer, compress, encrypt } = options;
  const codec: CodecOptions<unknown> = {
    ...(serializer === undefined ? {} : { serializer }),
    ...(compress === undefined ? {} : { compress }),
    ...(encrypt === undefined ? {} : { encrypt }),
  };
  return new Holdfast(new Core(createDriver(transport, options), { prefix: options.prefix ?? "hf", codec }));
}

function isClient(target: unknown): target is BorrowedClient {
  return typeof target === "object" && target !== null && "sendCommand" in target;
}
