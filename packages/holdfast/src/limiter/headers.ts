/** Response headers that tell an HTTP client its limits. */
import type { LimitDecision } from "./decision.ts";

/** Assignable to Headers, and to what Express, Fastify, Hono and node:http take. */
export type RateLimitHeaders = Record<string, string>;

/**
 * `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers, 8 and later; structured fields of
 * RFC 9651), and for a denial `Retry-After` (RFC 9110) in whole seconds, rounded up. A decision that the outage policy
 * made knows of no remaining units, so it has no `RateLimit`.
 */
export function rateLimitHeaders(decision: LimitDecision): RateLimitHeaders {
  const { policy, source, allowed } = decision;
  const name = quoted(policy.name);
  const headers: RateLimitHeaders = {
    "RateLimit-Policy": `${name};q=${policy.limit};w=${seconds(policy.windowMs)}`,
  };
  if (source === "server") headers["RateLimit"] = `${name};r=${decision.remaining};t=${seconds(decision.resetMs)}`;
  if (!allowed) headers["Retry-After"] = String(seconds(decision.retryAfterMs));
  return headers;
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}

/** A String of structured fields has printable ASCII only. */
function quoted(text: string): string {
  const ascii = text.replace(/[^\x20-\x7E]/gu, percentEncoded);
  return `"${ascii.replace(/["\\]/g, "\\$&")}"`;
}

function percentEncoded(char: string): string {
  return Buffer.from(char).toString("hex").toUpperCase().replace(/../g, "%$&");
}
