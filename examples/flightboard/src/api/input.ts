/** What requests carry, checked at the door: a bad one is refused with 400 and the field's name. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";

const AIRPORT = /^[A-Z0-9]{3}$/;
const TAG = /^[a-z-]{1,20}(:[A-Z0-9]{1,3})?$/;
const MAX_TAGS = 8;

/** The body's JSON object. */
export async function readObject(c: Context): Promise<Readonly<Record<string, unknown>>> {
  const body = await c.req.json<unknown>().catch(() => undefined);
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw bad("The body must be a JSON object.");
  return body as Record<string, unknown>;
}

/** An airport's code from the path, such as `ATL`. */
export function airportParam(c: Context, name: string): string {
  return airportCode(name, c.req.param(name) ?? "");
}

/** An airport's code from the query; undefined where it is empty or not there. */
export function airportQuery(c: Context, name: string): string | undefined {
  const text = c.req.query(name) ?? "";
  return text === "" ? undefined : airportCode(name, text);
}

/** Tags from the query, separated by commas. */
export function tagsQuery(c: Context, name: string): string[] {
  const tags = (c.req.query(name) ?? "").split(",").filter((tag) => tag !== "");
  if (tags.length <= MAX_TAGS && tags.every((tag) => TAG.test(tag))) return tags;
  throw bad(`${name}: expected up to ${MAX_TAGS} tags such as hub or state:CA, separated by commas.`);
}

export function isAirportCode(value: unknown): value is string {
  return typeof value === "string" && AIRPORT.test(value);
}

function airportCode(name: string, text: string): string {
  const code = text.toUpperCase();
  if (isAirportCode(code)) return code;
  throw bad(`${name}: expected the code of an airport, such as ATL.`);
}

function bad(message: string): HTTPException {
  return new HTTPException(400, { message });
}
