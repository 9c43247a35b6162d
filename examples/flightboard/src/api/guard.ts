/** What every request passes: headers, the same-origin rule for changes, and the rate limit of its client. */
import { getConnInfo } from "@hono/node-server/conninfo";
import { ipKey, type Limiter, rateLimitHeaders } from "holdfast";
import type { Context, MiddlewareHandler } from "hono";
import { problem } from "./problem.ts";
import type { Env } from "./sign-in.ts";

export const LIMIT = 300;
export const WINDOW_SECONDS = 60;

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

export const securityHeaders: MiddlewareHandler<Env> = async (c, next) => {
  await next();
  c.header("content-security-policy", CONTENT_SECURITY_POLICY);
  c.header("x-content-type-options", "nosniff");
  c.header("referrer-policy", "no-referrer");
  c.header("cross-origin-opener-policy", "same-origin");
};

/** The names of this machine for itself. A page elsewhere whose name is made to resolve to it (DNS rebinding) has another. */
const OWN_NAMES = new Set(["127.0.0.1", "localhost", "[::1]"]);

export const ownHost: MiddlewareHandler<Env> = async (c, next) => {
  const name = (c.req.header("host") ?? "").replace(/:\d+$/, "").toLowerCase();
  return OWN_NAMES.has(name) ? next() : problem(c, 421, `This page is served as ${[...OWN_NAMES].join(", ")} only.`);
};

/** The cookie is SameSite=Strict; this is the second lock on the same door. */
export const sameOrigin: MiddlewareHandler<Env> = async (c, next) => {
  const origin = c.req.header("origin");
  const safe = c.req.method === "GET" || c.req.method === "HEAD";
  if (!safe && origin !== undefined && hostOf(origin) !== c.req.header("host")) {
    return problem(c, 403, "Changes are taken from this page only.");
  }
  return next();
};

export function rateLimit(limiter: Limiter): MiddlewareHandler<Env> {
  return async (c, next) => {
    const decision = await limiter.consume(clientOf(c));
    const headers = rateLimitHeaders(decision);
    if (!decision.allowed) return problem(c, 429, "Too many requests.", headers);
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    return next();
  };
}

/** A signed-in user has one allowance wherever they are; others share that of their address. */
export function clientOf(c: Context<Env>): string {
  const user = c.get("session")?.user;
  return user === undefined ? `address:${ipKey(getConnInfo(c).remote.address ?? "")}` : `user:${user}`;
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
