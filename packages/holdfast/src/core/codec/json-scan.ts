/**
 * A walk over JSON text that builds nothing, done before parsing: it counts what parsing would build. Text needs two
 * bytes for each item, so text that is short enough is not walked at all, and a common hit pays one comparison.
 */
import { CodecError } from "../../base/errors.ts";
import type { Bounds } from "./format.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
/** `[` and `{` differ in this bit only, and so do `]` and `}`. */
const CURLY = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/**
 * @param thorough also looks how deep it is nested, however short it is
 * @throws CodecError `corrupt` when there is more than the bounds allow
 */
export function requireBoundedText(text: Buffer, start: number, bounds: Bounds, thorough: boolean): void {
  if (!thorough && text.length <= bounds.maxItems * 2) return;
  let items = 0;
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const byte = text[at]!;
    if (byte === QUOTE) at = endOfString(text, at);
    else if (byte === COMMA) items += 1;
    else if ((byte | CURLY) === OPENING) {
      items += 1;
      depth += 1;
      if (depth > bounds.maxDepth) throw tooDeep(bounds);
    } else if ((byte | CURLY) === CLOSING) depth -= 1;
    if (items > bounds.maxItems) throw tooMany(bounds);
  }
}

/** Where the string that begins at `at` ends; in broken text, the end of it. */
function endOfString(text: Buffer, at: number): number {
  let end = at + 1;
  while (end < text.length && text[end] !== QUOTE) end += text[end] === BACKSLASH ? 2 : 1;
  return end;
}

export function tooMany({ maxItems }: Bounds): CodecError {
  return new CodecError("corrupt", `the value has more than ${maxItems} items (option maxItems)`);
}

export function tooDeep({ maxDepth }: Bounds): CodecError {
  return new CodecError("corrupt", `the value is nested deeper than ${maxDepth} (option maxDepth)`);
}
