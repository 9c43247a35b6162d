/** `--once`: replay at full speed with every process running, check every number, print what was found. */
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "holdfast";
import { looksFile } from "../api/looks.ts";
import { JSON_FLIGHTS, readFlights } from "../data/flights.ts";
import { FlightLog } from "../ingest/flight-log.ts";
import type { Options } from "../options.ts";
import { openState } from "../state/state.ts";
import { Summaries } from "../state/summary.ts";
import type { CheckResult } from "../verify/check.ts";
import { checkCache, look, SEARCHES, searchPath } from "../verify/cached.ts";
import { checkDerived } from "../verify/derived.ts";
import { checkNews, listen } from "../verify/news.ts";
import { checkServed } from "../verify/served.ts";
import { findTruthAside } from "../verify/truth.ts";
import { planBlows, unleash } from "./chaos.ts";
import type { Fleet } from "./fleet.ts";
import { Visitor } from "./visitor.ts";

export interface Summary {
  readonly ok: boolean;
  readonly flights: number;
  readonly seconds: number;
  readonly flightsPerSecond: number;
  readonly compared: number;
  readonly wrong: number;
  /** What was killed, frozen or restarted, in order. */
  readonly blows: readonly string[];
  /** How many leaders there were, one after the other. */
  readonly leaders: number;
  readonly seed?: number;
  readonly checks: Readonly<Record<string, { readonly compared: number; readonly wrong: number }>>;
}

export interface Outcome {
  readonly summary: Summary;
  readonly results: readonly CheckResult[];
}

const POLL_MS = 50;
/** Without any progress for this long the replay is given up; takeovers and restarts take a few seconds. */
const STALL_MS = 60_000;

export async function replayOnce(options: Options & { url: string }, fleet: Fleet): Promise<Outcome> {
  await using hf = await connect(options.url, { prefix: options.prefix });
  const state = openState(hf);
  const log = new FlightLog(hf);
  const heard = listen(state);
  const base = `http://127.0.0.1:${options.port}`;
  const done = new AbortController();

  fleet.start("worker", "api");
  const visitor = new Visitor(base);
  await visitor.signIn("ada");

  const began = performance.now();
  fleet.start("ingest");
  const plan = options.chaos ? planBlows(options.flights, options.seed, fleet.server?.kind) : [];
  const chaos = unleash(plan, fleet, hf, done.signal);
  const browsing = browse(visitor, new Visitor(base), Math.min(options.flights, JSON_FLIGHTS), done.signal);
  await untilApplied(log, options.flights);
  const seconds = (performance.now() - began) / 1_000;
  const blows = await within(STALL_MS, chaos, "not every process that was to be hit could be");
  done.abort();
  const { watching, looked } = await browsing;
  await heard.settle(options.flights);

  const truth = await findTruthAside(options.flights);
  const results = [
    ...(await checkDerived({ state, log, summaries: new Summaries(hf, state) }, truth)),
    ...(await checkServed({ base, state, veteran: visitor, watching }, truth)),
    ...(await checkCache({ base, state, looksFile: looksFile(options), looked }, truth)),
    await checkNews(heard, options.flights),
  ];
  const { term } = await log.cursor();
  return { results, summary: summarise(options, results, { seconds, blows, leaders: term }) };
}

/** Waits until the worker has come to the end, also through outages of the server. */
async function untilApplied(log: FlightLog, flights: number): Promise<void> {
  let last = -1;
  let movedAt = performance.now();
  for (;;) {
    const applied = await log.applied().catch(() => last);
    if (applied >= flights) return;
    if (applied !== last) movedAt = performance.now();
    last = applied;
    if (performance.now() - movedAt > STALL_MS) throw new Error(`the replay stands still at flight ${applied}`);
    await sleep(POLL_MS);
  }
}

async function within<T>(ms: number, work: Promise<T>, complaint: string): Promise<T> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => Promise.reject(new Error(complaint)));
  return Promise.race([work, late]).finally(() => {
    timer.abort();
    late.catch(() => undefined);
  });
}

interface Browsed {
  readonly watching: string[];
  readonly looked: ReadonlyMap<string, number>;
}

/**
 * What visitors do meanwhile: one looks at airports and stars them, another searches, so that the worker has something to
 * invalidate. Returns what should be starred at the end, and the looks that were acknowledged.
 * The flights are those of the JSON file: unpacking the Parquet file would keep a server in this process busy for seconds.
 */
async function browse(visitor: Visitor, other: Visitor, flights: number, signal: AbortSignal): Promise<Browsed> {
  const watching: string[] = [];
  const looked = new Map<string, number>();
  for await (const { origin } of readFlights(flights, 0, 200)) {
    if (signal.aborted && watching.length > 0) break;
    await visitor.ask(`/api/airports/${origin}`);
    if (watching.includes(origin) || watching.length === 20) continue;
    const wish = [...watching, origin];
    const { status } = await visitor.ask("/api/session/watching", { method: "PUT", body: { watching: wish } });
    if (status === 200) watching.push(origin);
    looked.set(origin, await look(other, origin));
    await other.ask(searchPath(SEARCHES[watching.length % SEARCHES.length]!));
    await sleep(POLL_MS);
  }
  return { watching, looked };
}

function summarise(
  { flights, chaos, seed }: Options,
  results: readonly CheckResult[],
  run: { seconds: number; blows: readonly string[]; leaders: number },
): Summary {
  const sum = (field: "compared" | "wrong"): number => results.reduce((total, result) => total + result[field], 0);
  return {
    ok: sum("wrong") === 0,
    flights,
    seconds: Math.round(run.seconds * 100) / 100,
    flightsPerSecond: Math.round(flights / run.seconds),
    compared: sum("compared"),
    wrong: sum("wrong"),
    blows: run.blows,
    leaders: run.leaders,
    ...(chaos ? { seed } : {}),
    checks: Object.fromEntries(results.map(({ name, compared, wrong }) => [name, { compared, wrong }])),
  };
}
