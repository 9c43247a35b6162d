/** The first line of a script: `#!lua flags=no-writes,allow-stale`. */
import { fail } from "../../base/errors.ts";
import { splitArguments } from "../../protocol/inline.ts";

export interface ScriptFlags {
  /** There is such a line; without it a script may do anything, as before Redis 7. */
  readonly declared: boolean;
  readonly noWrites: boolean;
}

/** In the order in which Redis lists them. */
export const SCRIPT_FLAGS: readonly string[] = [
  "no-writes",
  "allow-oom",
  "allow-stale",
  "no-cluster",
  "allow-cross-slot-keys",
];

/** `length` is that of the line without its end, so that line numbers stay. */
export function readShebang(source: string): { readonly flags: ScriptFlags; readonly length: number } {
  if (!source.startsWith("#!")) return { flags: { declared: false, noWrites: false }, length: 0 };
  const length = source.indexOf("\n");
  if (length === -1) fail("ERR Invalid script shebang");
  const [engine, ...options] = splitArguments(source.slice(0, length)) ?? [];
  if (engine === undefined) fail("ERR Invalid engine in script shebang");
  if (engine !== "#!lua") fail(`ERR Unexpected engine in script shebang: ${engine}`);
  const names = options.flatMap(flagNames);
  return { flags: declaredFlags(names), length };
}

/** Most flags are about what this server does not have: replicas, a cluster, a limit on memory. */
export function declaredFlags(names: readonly string[]): ScriptFlags {
  return { declared: true, noWrites: names.includes("no-writes") };
}

function flagNames(option: string): string[] {
  if (!option.startsWith("flags=")) fail(`ERR Unknown lua shebang option: ${option}`);
  const names = option.slice("flags=".length).split(",");
  const unknown = names.find((name) => name !== "" && !SCRIPT_FLAGS.includes(name));
  if (unknown !== undefined) fail(`ERR Unexpected flag in script shebang: ${unknown}`);
  return names;
}
