/** The first line of a library of functions: `#!lua name=mylib`. */
import { fail } from "../../base/errors.ts";
import { splitArguments } from "../../protocol/inline.ts";

export const BAD_NAME =
  "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

export const ENGINE_NAME = "LUA";

/** Of a library or a function. */
export function isName(name: string): boolean {
  return /^\w+$/.test(name);
}

/** `length` is that of the line without its end, so that line numbers stay. */
export function readMetadata(source: string): { readonly name: string; readonly length: number } {
  if (!source.startsWith("#!")) fail("ERR Missing library metadata");
  const length = source.indexOf("\n");
  const [engine, ...options] = (length === -1 ? undefined : splitArguments(source.slice(0, length))) ?? [];
  if (engine === undefined) fail("ERR Invalid library metadata");
  const name = nameIn(options);
  if (!isName(name)) fail(`ERR ${BAD_NAME}`);
  const engineName = engine.slice("#!".length);
  if (engineName.toUpperCase() !== ENGINE_NAME) fail(`ERR Engine '${engineName}' not found`);
  return { name, length };
}

function nameIn(options: readonly string[]): string {
  let name: string | undefined;
  for (const option of options) {
    if (!/^name=/i.test(option)) fail(`ERR Invalid metadata value given: ${option}`);
    if (name !== undefined) fail("ERR Invalid metadata value, name argument was given multiple times");
    name = option.slice("name=".length);
  }
  return name ?? fail("ERR Library name was not given");
}
