/** The HTTP interface: pages ask, Holdfast's primitives answer. */
import type { Tags } from "holdfast";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Service } from "../service.ts";
import { CONTROL_ID, PROCESSES, type State } from "../state/state.ts";
import { airportProfile, routeProfile } from "./archive.ts";
import type { Database } from "./database.ts";
import { clientOf, LIMIT, ownHost, rateLimit, sameOrigin, securityHeaders, WINDOW_SECONDS } from "./guard.ts";
import type { Hub } from "./hub.ts";
import { airportParam, airportQuery, readObject, tagsQuery } from "./input.ts";
import type { Live } from "./live.ts";
import type { Looks } from "./looks.ts";
import { problem, problemOf } from "./problem.ts";
import { type Env, readSession, type SessionData, signedIn, signInRoutes } from "./sign-in.ts";
import type { Takeovers } from "./takeovers.ts";

export interface AppParts {
  readonly service: Service;
  readonly db: Database;
  readonly looks: Looks;
  readonly hub: Hub;
  readonly live: Live;
  readonly takeovers: Takeovers;
  /** Asks the launcher to kill one of its processes; undefined when this process runs alone. */
  readonly kill: ((process: string) => void) | undefined;
}

const MAX_BODY_BYTES = 4_096;
const MAX_RESULTS = 500;
const MAX_SPEED = 10_000;

const boundedBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: (c) => problem(c, 413, `The body is longer than ${MAX_BODY_BYTES} bytes.`),
});

export function createApp(parts: AppParts): Hono<Env> {
  const { hf } = parts.service;
  const sessions = hf.sessions<SessionData>({ maxPerUser: 3, onLimit: "evict-oldest" });
  const limiter = hf.limiter("api", {
    algorithm: "gcra",
    limit: LIMIT,
    window: `${WINDOW_SECONDS}s`,
    onOutage: "allow",
  });

  const app = new Hono<Env>();
  app.use(securityHeaders, ownHost);
  app.use("/api/*", sameOrigin, boundedBody, readSession(sessions));
  app.get("/api/events", (c) => parts.hub.open(c, clientOf(c), (...page) => parts.live.serve(...page)));
  app.use("/api/*", rateLimit(limiter));
  app.route("/api/session", signInRoutes(sessions));
  addQuestions(app, parts);
  addOrders(app, parts);
  app.notFound((c) => problem(c, 404, "There is nothing here."));
  app.onError(problemOf);
  return app;
}

function addQuestions(app: Hono<Env>, { service, db, live }: AppParts): void {
  const { state } = service;
  const { caches } = state;

  app.get("/api/snapshot", (c) => (live.latest === undefined ? problem(c, 503, "Just started.") : c.json(live.latest)));

  app.get("/api/airports/:code", async (c) => {
    const code = airportParam(c, "code");
    const profile = await caches.profiles.getOrSet(code, () => airportProfile(db, code));
    return profile === undefined ? problem(c, 404, `No airport ${code}.`) : c.json(profile);
  });

  app.get("/api/routes/:origin/:destination", async (c) => {
    const [origin, destination] = [airportParam(c, "origin"), airportParam(c, "destination")];
    const route = await caches.routes.getOrSet(`${origin}-${destination}`, () => routeProfile(db, origin, destination));
    return route === undefined ? problem(c, 404, `No flight from ${origin} to ${destination}.`) : c.json(route);
  });

  app.get("/api/airports/:code/nearest", async (c) => {
    const places = await state.places.nearest({ member: airportParam(c, "code") }, { count: 5 });
    return c.json(places ?? []);
  });

  app.get("/api/airports/:code/live", async (c) => {
    const code = airportParam(c, "code");
    const [record, tags, around] = await Promise.all([
      state.airports.get(code),
      state.tags.of(code),
      state.boards.busiest.around(code, 2),
    ]);
    return record === undefined
      ? problem(c, 404, `No flight at ${code} yet.`)
      : c.json({ record: record.value, tags, around });
  });

  /** Airports by their tags, and by where they fly to. */
  app.get("/api/search", async (c) => {
    const search = { all: tagsQuery(c, "all"), not: tagsQuery(c, "not"), to: airportQuery(c, "to") };
    const tags = [...search.all, ...search.not, ...(search.to === undefined ? [] : [`to:${search.to}`])];
    const load = (): Promise<string[]> => find(state, search);
    return c.json({ items: await caches.searches.getOrSet(JSON.stringify(search), load, { tags }) });
  });
}

interface Search {
  readonly all: readonly string[];
  readonly not: readonly string[];
  readonly to: string | undefined;
}

async function find(state: State, { all, not, to }: Search): Promise<string[]> {
  const origins = to === undefined ? undefined : await originsOf(state.routes, to);
  if (all.length === 0) return origins ?? [];
  const { items } = await state.tags.find({ all, not, limit: MAX_RESULTS });
  return items.filter((code) => origins?.includes(code) ?? true);
}

async function originsOf(routes: Tags, to: string): Promise<string[]> {
  const { items } = await routes.find({ all: [`to:${to}`], limit: MAX_RESULTS });
  return items.map((route) => route.split("-")[0] ?? route);
}

function addOrders(app: Hono<Env>, { service, looks, takeovers, kill }: AppParts): void {
  app.post("/api/control", signedIn, async (c) => {
    const { speed } = await readObject(c);
    if (typeof speed !== "number" || !(speed >= 0 && speed <= MAX_SPEED)) {
      return problem(c, 422, `speed: expected 0 to ${MAX_SPEED} simulated minutes per second.`);
    }
    await service.state.caches.control.set(CONTROL_ID, { speed, by: c.get("session")?.user ?? "" });
    return c.json({ speed });
  });

  app.post("/api/airports/:code/looks", async (c) => c.json({ looks: await looks.add(airportParam(c, "code")) }));

  /** For every visitor: what is killed is the launcher's own and is started again. */
  app.post("/api/kill", async (c) => {
    const { process: name } = await readObject(c);
    const known = PROCESSES.find((process) => process === name);
    if (known === undefined) return problem(c, 422, `process: expected one of ${PROCESSES.join(", ")}.`);
    if (kill === undefined) return problem(c, 409, "This process was not started by the launcher.");
    kill(known);
    await takeovers.killed(known);
    return c.json({ killed: known });
  });
}
