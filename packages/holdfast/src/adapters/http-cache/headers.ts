/** Header fields as this cache handles them: pairs with lower-case names, in their order, one pair per line on the wire. */
export type Fields = readonly (readonly [name: string, value: string])[];

/** Of one connection, and none of the response's (RFC 9110, 7.6.1); a length is that of the body that is sent. */
const HOP_BY_HOP = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The field's lines as one value, or undefined where there is none. */
export function field(fields: Fields, name: string): string | undefined {
  let value: string | undefined;
  for (const [each, line] of fields) if (each === name) value = value === undefined ? line : `${value}, ${line}`;
  return value;
}

export function without(fields: Fields, names: ReadonlySet<string>): Fields {
  return fields.filter(([name]) => !names.has(name));
}

/** What may be stored of them: without those of the connection, and those that `Connection` names. */
export function endToEnd(fields: Fields): Fields {
  const named = (field(fields, "connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  return without(fields, new Set([...HOP_BY_HOP, ...named]));
}

/** Milliseconds since 1970 of an HTTP date, or undefined where it is none. */
export function dateOf(value: string | undefined): number | undefined {
  if (value === undefined || !/^(?:[A-Z][a-z]{2,8}),? /.test(value)) return undefined;
  const ms = Date.parse(value.endsWith("GMT") ? value : `${value} GMT`);
  return Number.isNaN(ms) ? undefined : ms;
}

export function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}
