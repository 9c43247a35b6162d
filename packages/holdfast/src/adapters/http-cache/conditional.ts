/** Conditional requests (RFC 9110, 13): what the client has already is not sent again. */
import { dateOf, field, type Fields, without } from "./headers.ts";

/** What makes the handler answer 304 where nothing has changed. */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Of the body, which a 304 has not. */
const OF_THE_BODY = new Set([
  "content-encoding",
  "content-language",
  "content-length",
  "content-range",
  "content-type",
]);

/** Undefined where the response has none. */
export function validatorsOf(fields: Fields): Validators | undefined {
  const [etag, lastModified] = [field(fields, "etag"), field(fields, "last-modified")];
  return etag === undefined && lastModified === undefined ? undefined : { etag, lastModified };
}

/** Whether the client's copy is this response. */
export function isKnown(header: (name: string) => string | undefined, status: number, fields: Fields): boolean {
  if (status !== 200) return false;
  const match = header("if-none-match");
  const etag = field(fields, "etag");
  if (match !== undefined) {
    if (match.trim() === "*") return true;
    return etag !== undefined && tagsIn(match).includes(opaque(etag));
  }
  const since = dateOf(header("if-modified-since"));
  const modified = dateOf(field(fields, "last-modified"));
  return since !== undefined && modified !== undefined && modified <= since;
}

export function fieldsOf304(fields: Fields): Fields {
  return without(fields, OF_THE_BODY);
}

/** A stored response's fields after the handler has said that it still holds: those of the 304 replace theirs (RFC 9111, 3.2). */
export function freshened(stored: Fields, from304: Fields): Fields {
  const newer = without(from304, OF_THE_BODY);
  const names = new Set(newer.map(([name]) => name));
  return [...without(stored, names), ...newer];
}

/** Weak comparison: without the mark of a weak one. */
function opaque(etag: string): string {
  return etag.trim().replace(/^W\//, "");
}

function tagsIn(list: string): string[] {
  return [...list.matchAll(/(?:W\/)?("[^"]*")/g)].map(([, tag]) => tag!);
}
