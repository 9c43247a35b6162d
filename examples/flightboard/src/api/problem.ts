/** Refusals in one shape: RFC 9457, `application/problem+json`. */
import { HoldfastError } from "holdfast";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

export function problem(
  c: Context,
  status: ContentfulStatusCode,
  title: string,
  headers: Record<string, string> = {},
): Response {
  return c.body(JSON.stringify({ title, status }), status, { ...headers, "content-type": "application/problem+json" });
}

/** An outage of the server is told as one; anything else is a fault of this program. */
export function problemOf(error: Error, c: Context): Response {
  if (error instanceof HoldfastError && error.retryable) {
    return problem(c, 503, `The server cannot be reached (${error.code}).`, { "retry-after": "1" });
  }
  console.error(error);
  return problem(c, 500, "This should not have happened.");
}
