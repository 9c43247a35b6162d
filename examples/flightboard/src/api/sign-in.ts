/**
 * Sign-in for the demo: pick a name, no password. The session lives on the server and the cookie holds its id, so it
 * survives the death of this process.
 */
import type { Session, Sessions } from "holdfast";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { isAirportCode, readObject } from "./input.ts";
import { problem } from "./problem.ts";

export interface SessionData {
  /** Codes of the airports that this visitor has starred. */
  readonly watching: readonly string[];
}

export interface Env {
  Variables: { session: Session<SessionData> | undefined; sessionId: string };
}

export const DEMO_USERS = ["ada", "grace", "katherine"] as const;

const COOKIE = "flightboard";
const ABSOLUTE_SECONDS = 12 * 3_600;
const MAX_WATCHED = 20;

/** One round trip: reads the session, checks both expiries and slides the idle one. */
export function readSession(sessions: Sessions<SessionData>): MiddlewareHandler<Env> {
  return async (c, next) => {
    const id = getCookie(c, COOKIE) ?? "";
    c.set("sessionId", id);
    c.set("session", id === "" ? undefined : await sessions.get(id));
    return next();
  };
}

export const signedIn: MiddlewareHandler<Env> = async (c, next) => {
  return c.get("session") === undefined ? problem(c, 401, "Sign in first.") : next();
};

export function signInRoutes(sessions: Sessions<SessionData>): Hono<Env> {
  const app = new Hono<Env>();

  app.get("/", async (c) => {
    const session = c.get("session");
    if (session === undefined) return c.json({ user: null, users: DEMO_USERS });
    const active = (await sessions.list(session.user ?? "")).length;
    return c.json({ user: session.user, watching: session.data.watching, active });
  });

  app.post("/", async (c) => {
    const { user } = await readObject(c);
    if (!DEMO_USERS.some((name) => name === user)) return problem(c, 422, `Pick one of ${DEMO_USERS.join(", ")}.`);
    if (c.get("sessionId") !== "") await sessions.destroy(c.get("sessionId"));
    const created = await sessions.create({ user: String(user), data: { watching: [] } });
    if (created.status !== "ok") return problem(c, 409, "Too many sessions.");
    setCookie(c, COOKIE, created.id, { httpOnly: true, sameSite: "Strict", path: "/", maxAge: ABSOLUTE_SECONDS });
    return c.json({ user });
  });

  app.put("/watching", signedIn, async (c) => {
    const { watching } = await readObject(c);
    if (!isWatchList(watching)) return problem(c, 422, `Send up to ${MAX_WATCHED} airport codes.`);
    const patched = await sessions.patch(c.get("sessionId"), { watching });
    return patched.status === "ok" ? c.json({ watching }) : problem(c, 401, "Signed out in the meantime.");
  });

  app.delete("/", signedIn, async (c) => {
    await sessions.destroy(c.get("sessionId"));
    return forget(c);
  });

  /** Signs out every browser of this user. */
  app.delete("/all", signedIn, async (c) => {
    await sessions.revokeAll(c.get("session")?.user ?? "");
    return forget(c);
  });

  return app;
}

function forget(c: Context<Env>): Response {
  deleteCookie(c, COOKIE, { path: "/" });
  return c.body(null, 204);
}

function isWatchList(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= MAX_WATCHED && value.every(isAirportCode);
}
