/** Refusals in one shape: RFC 9457, `application/problem+json`. */
import { HoldfastError, InvalidArgumentError } from "holdfast";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";

export function problem(
  c: Context,
  status: ContentfulStatusCode,
  title: string,
  headers: Record<string, string> = {},
): Response {
  return c.body(JSON.stringify({ title, status }), status, { ...headers, "content-type": "application/problem+json" });
}

/** Bad input and an outage of the server are reported as such; anything else is a fault of this program. */
export function problemOf(error: Error, c: Context): Response {
  if (error instanceof HoldfastError && error.retryable) {
    return problem(c, 503, `The server cannot be reached (${error.code}).`, { "retry-after": "1" });
  }
  if (error instanceof HTTPException) return problem(c, error.status, error.message);
  if (error instanceof InvalidArgumentError) return problem(c, 400, error.message);
  console.error(error);
  return problem(c, 500, "This should not have happened.");
}
