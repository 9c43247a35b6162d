/**
 * URLs of the embedded server.
 *
 *     embedded://                 in memory
 *     embedded://path/to/file     kept in a snapshot file, relative to the working directory
 *     embedded:///path/to/file    the same with an absolute path; percent-decoded
 */
import { resolve } from "node:path";
import { InvalidArgumentError, said } from "../../base/errors.ts";
import { type ConnectionOptions, resolveOptions } from "../connection/options.ts";
import { nodeRedis } from "../node-redis/client.ts";

const SCHEME = /^embedded:/i;

export function isEmbeddedUrl(url: string): boolean {
  return SCHEME.test(url);
}

/** The absolute path of the snapshot file; undefined where nothing is kept. */
export function snapshotPathOf(url: string): string | undefined {
  const path = url.replace(SCHEME, "");
  if (!path.startsWith("//") || /[?#]/.test(path)) throw refuse();
  return path === "//" ? undefined : resolve(decode(path.slice(2)));
}

export function refuseTls(options: ConnectionOptions): void {
  if (options.tls === undefined || options.tls === false) return;
  throw new InvalidArgumentError("tls", "nothing for the embedded server, which is in this process", options.tls);
}

/** Bad options for the embedded server, found before it is loaded. @throws InvalidArgumentError */
export function checkEmbedded(options: ConnectionOptions & { readonly url: string }): void {
  snapshotPathOf(options.url);
  refuseTls(options);
  resolveOptions({ ...options, url: undefined }, nodeRedis);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse();
  }
}

function refuse(): InvalidArgumentError {
  return new InvalidArgumentError(
    "url",
    "embedded:// or embedded://path/to/snapshot, percent-encoded",
    said("something else (not shown)"),
  );
}
