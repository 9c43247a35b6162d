/** Response headers that report an HTTP client's limits. */
import type { LimiterDecision } from "./decision.ts";

/** Assignable to Headers, and to what Express, Fastify, Hono and node:http take. */
export type RateLimitHeaders = Record<string, string>;

/**
 * Returns `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers, 8 and later; structured fields of
 * RFC 9651), and for a denial `Retry-After` (RFC 9110) in whole seconds, rounded up. A decision by the outage policy
 * has no `RateLimit`, because nobody knows what remains.
 */
export function rateLimitHeaders(decision: LimiterDecision): RateLimitHeaders {
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
