import { type Bounds, type Format, textFrame, Unstorable } from "./format.ts";
import { requireFaithful } from "./faithful.ts";
import { SERIALIZER_ID } from "./header.ts";
import { requireBoundedText } from "./json-scan.ts";

/** Refuses what JSON would change without a word: a walk, which makes encoding about a quarter slower. */
export const jsonFormat: Format = {
  id: SERIALIZER_ID.json,
  write: (value, bounds) => textFrame(faithfulText(value, bounds)),
  read: parseJson,
};

/** What JSON makes of it, as `JSON.stringify` does. */
export const looseJsonFormat: Format = {
  id: SERIALIZER_ID.json,
  write(value, bounds) {
    const frame = textFrame(jsonText(value));
    requireBoundedText(frame, 0, bounds, false);
    return frame;
  },
  read: parseJson,
};

function parseJson(bytes: Buffer, start: number, bounds: Bounds, expanded: boolean): unknown {
  requireBoundedText(bytes, start, bounds, expanded);
  return JSON.parse(bytes.toString("utf8", start)) as unknown;
}

/** The payload alone. */
export function faithfulText(value: unknown, bounds: Bounds): string {
  requireFaithful(value, bounds, keepsNothing, "JSON");
  return jsonText(value);
}

/** `JSON.stringify` is typed as always answering with text; for functions and symbols it does not. */
function jsonText(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text !== undefined) return text;
  throw new Unstorable("functions, symbols and values whose toJSON is undefined have no JSON");
}

function keepsNothing(): boolean {
  return false;
}
