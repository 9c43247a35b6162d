/** The worker's numbers against `derive`: log, counters, records, boards, tags and places. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Leaderboard, TagsQuery, Tags } from "holdfast";
import type { Airport } from "../data/airports.ts";
import type { FlightLog } from "../ingest/flight-log.ts";
import { scores, tagsFor } from "../state/derive.ts";
import type { State } from "../state/state.ts";
import { SUMMARY_EVERY_MS, type Summaries } from "../state/summary.ts";
import { check, type Check, type CheckResult } from "./check.ts";
import { meters, ranked } from "./expected.ts";
import type { Truth } from "./truth.ts";

const NEAREST = 6;
/** A stored place is the middle of a cell of 0.6 m. */
const CELL_METERS = 1;
const PAGE = 1_000;
/** Longer than two ticks are apart. */
const ROUNDS = 120;
const ROUND_MS = 100;

export async function checkDerived(
  { state, log, summaries }: { readonly state: State; readonly log: FlightLog; readonly summaries: Summaries },
  truth: Truth,
): Promise<CheckResult[]> {
  const { boards } = state;
  return [
    await check("flight log", (it) => checkLog(it, log, truth)),
    await check("totals", (it) => checkTotals(it, state, truth)),
    await check("flights by day", (it) => checkDays(it, state, truth)),
    await check("airport records", (it) => checkRecords(it, state, truth)),
    await check("board: busiest", (it) => checkBoard(it, boards.busiest, boardTruth(truth, "busiest"))),
    await check("board: most delayed", (it) => checkBoard(it, boards.delayed, boardTruth(truth, "delayed"))),
    await check("board: best connected", (it) => checkBoard(it, boards.connected, boardTruth(truth, "connected"))),
    await check("airports by tag", (it) => checkTags(it, state, truth)),
    await check("routes by tag", (it) => checkRoutes(it, state, truth)),
    await check("places and nearest", (it) => checkPlaces(it, state, truth)),
    await check("schedule", (it) => checkSchedule(it, summaries, truth)),
  ];
}

async function checkLog(it: Check, log: FlightLog, { flights }: Truth): Promise<void> {
  it.equal("cursor", (await log.cursor()).position, flights);
  it.equal("applied", await log.applied(), flights);
  it.equal("batches left", await log.depth(), 0);
}

/** At least one tick has come, none had two jobs, and what they found was there. */
async function checkSchedule(it: Check, summaries: Summaries, { flights }: Truth): Promise<void> {
  const ticked = async () =>
    (await summaries.schedule())?.last !== undefined && (await summaries.latest()) !== undefined;
  for (let round = 0; round < ROUNDS && !(await ticked()); round += 1) await sleep(ROUND_MS);
  const [schedule, summary] = await Promise.all([summaries.schedule(), summaries.latest()]);
  it.that("it has run", (schedule?.runs ?? 0) > 0);
  it.that("its last run is known", summary !== undefined && summary.scheduledFor % SUMMARY_EVERY_MS === 0);
  it.that("it found no more than there is", summary !== undefined && summary.flights <= flights);
  it.that("the next one is later", (schedule?.next[0] ?? 0) > (schedule?.last?.scheduledFor ?? Infinity));
  it.equal("dead", (await summaries.queue.counts()).dead, 0);
}

async function checkTotals(it: Check, state: State, { derived }: Truth): Promise<void> {
  await each(Object.entries(derived.totals), async ([id, value]) => it.equal(id, await state.totals.get(id), value));
}

async function checkDays(it: Check, state: State, { derived }: Truth): Promise<void> {
  const days = await state.days.getMany([...derived.days.keys()]);
  for (const [day, flights] of derived.days) it.equal(day, days.get(day), flights);
}

async function checkRecords(it: Check, state: State, { derived, places }: Truth): Promise<void> {
  const records = await state.airports.getMany(derived.airports.keys());
  for (const [code, totals] of derived.airports) {
    const { name, city, state: usState } = placeOf(places, code);
    const { upTo, ...record } = records.get(code)?.value ?? { upTo: 0 };
    it.equal(code, record, { ...totals, code, name, city, state: usState });
    it.that(`${code} has a high-water mark`, upTo > 0);
  }
}

function boardTruth({ derived }: Truth, board: "busiest" | "delayed" | "connected"): Map<string, number> {
  return new Map([...derived.airports].map(([code, totals]) => [code, scores(totals)[board]]));
}

async function checkBoard(it: Check, board: Leaderboard, expected: ReadonlyMap<string, number>): Promise<void> {
  const places = ranked(expected);
  const page = await board.page({ limit: PAGE });
  it.equal("size", page.total, expected.size);
  it.equal(
    "scores in order",
    page.entries.map((entry) => entry.score),
    [...expected.values()].sort((a, b) => b - a),
  );
  for (const { member, score, rank } of page.entries)
    it.equal(`${member} on the page`, { score, rank }, places.get(member));
  await each(places, async ([member, place]) => {
    const { score, rank } = (await board.rank(member)) ?? {};
    it.equal(`rank of ${member}`, { score, rank }, place);
  });
}

async function checkTags(it: Check, { tags }: State, { derived, places }: Truth): Promise<void> {
  const tagged = [...derived.airports].map(
    ([code, totals]) => [code, tagsFor(placeOf(places, code).state, totals)] as const,
  );
  const having = (...wanted: string[]): string[] =>
    tagged.filter(([, own]) => wanted.every((tag) => own.includes(tag))).map(([code]) => code);
  const smallOnes = having("state:CA").filter((code) => !having("hub").includes(code));

  await each(tagged, async ([code, own]) => it.equal(`tags of ${code}`, await tags.of(code), own.toSorted()));
  await each(new Set(tagged.flatMap(([, own]) => own)), async (tag) => {
    it.equal(`count of ${tag}`, await tags.count(tag), having(tag).length);
    it.equal(`items with ${tag}`, await found(tags, { any: [tag] }), having(tag).toSorted());
  });
  const bigOnes = having("hub", "state:CA").toSorted();
  it.equal("hubs in California", await found(tags, { all: ["hub", "state:CA"] }), bigOnes);
  it.equal("others in California", await found(tags, { all: ["state:CA"], not: ["hub"] }), smallOnes.toSorted());
}

async function checkRoutes(it: Check, { routes }: State, { derived }: Truth): Promise<void> {
  const flown = [...derived.airports].flatMap(([from, { served }]) => served.map((to) => ({ from, to })));
  await each(derived.airports.keys(), async (code) => {
    const leaving = flown.filter(({ from }) => from === code).map(({ to }) => `${code}-${to}`);
    const arriving = flown.filter(({ to }) => to === code).map(({ from }) => `${from}-${code}`);
    it.equal(`routes from ${code}`, await found(routes, { any: [`from:${code}`] }), leaving.toSorted());
    it.equal(`routes to ${code}`, await found(routes, { any: [`to:${code}`] }), arriving.toSorted());
  });
}

async function found(tags: Tags, query: TagsQuery): Promise<string[]> {
  const items: string[] = [];
  for await (const item of tags.items(query)) items.push(item);
  return items.toSorted();
}

async function checkPlaces(it: Check, state: State, { derived, places }: Truth): Promise<void> {
  const known = [...derived.airports.keys()].map((code) => placeOf(places, code));
  await each(known, async (airport) => {
    const stored = await state.places.position(airport.code);
    it.that(`place of ${airport.code}`, stored !== undefined && meters(stored, airport) < CELL_METERS);
    const nearest = (await state.places.nearest({ member: airport.code }, { count: NEAREST })) ?? [];
    const expected = known
      .filter((other) => other !== airport)
      .map((other) => meters(airport, other))
      .toSorted((a, b) => a - b);
    const fits = nearest.every((match, index) => Math.abs(match.meters - (expected[index] ?? 0)) < 2 * CELL_METERS);
    it.that(`nearest to ${airport.code}`, fits && nearest.length === Math.min(NEAREST, known.length - 1));
  });
}

/** All at once: calls of the same tick share their round trips. */
async function each<T>(items: Iterable<T>, look: (item: T) => Promise<void>): Promise<void> {
  await Promise.all(Array.from(items, look));
}

function placeOf(places: ReadonlyMap<string, Airport>, code: string): Airport {
  const airport = places.get(code);
  if (airport === undefined) throw new Error(`no airport ${code} in the data`);
  return airport;
}
