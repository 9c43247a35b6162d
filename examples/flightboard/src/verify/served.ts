/** What the API serves: database answers through the cache, sessions, rate limits. */
import { LIMIT, WINDOW_SECONDS } from "../api/guard.ts";
import { type Answer, Visitor } from "../launcher/visitor.ts";
import type { State } from "../state/state.ts";
import { check, type Check, type CheckResult } from "./check.ts";
import { expectedProfile, expectedRoute } from "./expected.ts";
import type { Truth } from "./truth.ts";

/** Fewer than the rate limit allows one user at once. */
const SAMPLE_ROUTES = 20;
/** Requests at one time. */
const WAVE = 20;

export interface Served {
  readonly base: string;
  readonly state: State;
  /** Signed in before the replay began. */
  readonly veteran: Visitor;
  /** What `veteran` starred, in order, while processes were being killed. */
  readonly watching: readonly string[];
}

export async function checkServed(served: Served, truth: Truth): Promise<CheckResult[]> {
  return [
    await check("database answers, cached", (it) => checkProfiles(it, served, truth)),
    await check("session", (it) => checkSession(it, served)),
    await check("rate limit", (it) => checkLimit(it, served)),
  ];
}

async function checkProfiles(it: Check, { base, state }: Served, { derived, places, archive }: Truth): Promise<void> {
  const grace = new Visitor(base);
  await grace.signIn("grace");
  const codes = [...derived.airports.keys()];
  const known = codes.map((code) => places.get(code)).filter((place) => place !== undefined);
  const expected = new Map(known.map((place) => [place.code, expectedProfile(place, archive)]));
  for (let from = 0; from < codes.length; from += WAVE) {
    const wave = codes.slice(from, from + WAVE);
    const answers = await Promise.all(wave.map((code) => grace.ask(`/api/airports/${code}`)));
    for (const [at, code] of wave.entries()) it.equal(`profile of ${code}`, answers[at]?.body, expected.get(code));
  }
  const cached = await state.caches.profiles.getMany(codes);
  it.that("something is cached", cached.size > 0);
  for (const [code, profile] of cached) it.equal(`${code} in the cache`, profile, expected.get(String(code)));
  it.equal("an unknown airport", (await grace.ask("/api/airports/QQQ")).status, 404);
  for (const { origin, destination } of archive.slice(0, SAMPLE_ROUTES)) {
    const { body } = await grace.ask(`/api/routes/${origin}/${destination}`);
    it.equal(`route ${origin}-${destination}`, body, expectedRoute(origin, destination, archive));
  }
}

async function checkSession(it: Check, { base, veteran, watching }: Served): Promise<void> {
  const before = await veteran.ask("/api/session");
  it.equal("signed in since the start", before.body, { user: "ada", watching, active: 1 });
  const other = new Visitor(base);
  await other.signIn("ada");
  it.equal("a second browser", ((await other.ask("/api/session")).body as { active: number }).active, 2);
  it.equal("sign-out everywhere", (await other.ask("/api/session/all", { method: "DELETE" })).status, 204);
  it.equal("the first browser is out too", ((await veteran.ask("/api/session")).body as { user: unknown }).user, null);
  it.equal(
    "changes need a session",
    (await veteran.ask("/api/control", { method: "POST", body: { speed: 1 } })).status,
    401,
  );
}

/** Asks until refused. What a bucket of `LIMIT` lets through is that many and what drips in meanwhile. */
async function checkLimit(it: Check, { base }: Served): Promise<void> {
  const greedy = new Visitor(base);
  await greedy.signIn("katherine");
  const began = performance.now();
  let allowed = 0;
  let refusal: Answer | undefined;
  while (refusal === undefined && allowed < LIMIT * 10) {
    const answers = await Promise.all(Array.from({ length: WAVE }, () => greedy.ask("/api/snapshot")));
    allowed += answers.filter(({ status }) => status === 200).length;
    refusal = answers.find(({ status }) => status !== 200);
  }
  const dripped = Math.ceil(((performance.now() - began) / 1_000) * (LIMIT / WINDOW_SECONDS)) + 1;
  it.equal("refused in the end", refusal?.status, 429);
  it.that("not sooner than promised", allowed >= LIMIT, () => `${allowed} requests let through of ${LIMIT}`);
  it.that(
    "not later than promised",
    allowed <= LIMIT + dripped,
    () => `${allowed} let through of ${LIMIT} + ${dripped}`,
  );
  it.that("says when to come back", Number(refusal?.headers.get("retry-after")) >= 1);
  it.equal("says what the limit is", refusal?.headers.get("ratelimit-policy"), `"api";q=${LIMIT};w=${WINDOW_SECONDS}`);
}
