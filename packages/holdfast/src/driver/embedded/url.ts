/**
 * URLs of the embedded server.
 *
 *     embedded://                 in memory
 *     embedded://path/to/file     kept in a snapshot file, relative to the working directory
 *     embedded:///path/to/file    the same with an absolute path; percent-decoded
 */
import { resolve } from "node:path";
import { InvalidArgumentError } from "../../base/errors.ts";

const SCHEME = /^embedded:/i;

export function isEmbeddedUrl(url: string): boolean {
  return SCHEME.test(url);
}

/** The absolute path of the snapshot file; undefined where nothing is kept. */
export function snapshotPathOf(url: string): string | undefined {
  const path = url.replace(SCHEME, "");
  if (!path.startsWith("//") || /[?#]/.test(path)) throw refuse(url);
  return path === "//" ? undefined : resolve(decode(path.slice(2)));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse(text);
  }
}

function refuse(got: string): InvalidArgumentError {
  return new InvalidArgumentError("url", "embedded:// or embedded://path/to/snapshot, percent-encoded", got);
}
