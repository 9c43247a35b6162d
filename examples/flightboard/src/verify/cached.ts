/** What the caches show: searches that changes by tag have reached, looks written behind, and hits counted by level. */
import { setTimeout as sleep } from "node:timers/promises";
import { readLooks } from "../api/looks.ts";
import type { CacheReads } from "../state/reads.ts";
import { Visitor } from "../launcher/visitor.ts";
import { tagsFor } from "../state/derive.ts";
import type { State } from "../state/state.ts";
import { check, type Check, type CheckResult } from "./check.ts";
import type { Truth } from "./truth.ts";

interface Search {
  readonly all: readonly string[];
  readonly not: readonly string[];
  readonly to?: string;
}

/** Asked while the flights come in, and again at the end. */
export const SEARCHES: readonly Search[] = [
  { all: ["hub"], not: [] },
  { all: ["state:CA"], not: [] },
  { all: ["state:TX"], not: ["hub"] },
  { all: ["very-late"], not: ["long-haul"] },
  { all: [], not: [], to: "ATL" },
  { all: ["hub"], not: ["state:CA"], to: "LAX" },
];

/** What is written behind is taken over from a killed process after a few seconds. */
const ROUNDS = 300;
const ROUND_MS = 200;
/** Snapshots come once a second. */
const SNAPSHOT_ROUNDS = 60;
const SNAPSHOT_MS = 1_000;

interface Cached {
  readonly base: string;
  readonly state: State;
  readonly looksFile: string;
  /** Looks that were accepted while processes were being killed. */
  readonly looked: ReadonlyMap<string, number>;
}

export async function checkCache(cached: Cached, truth: Truth): Promise<CheckResult[]> {
  return [
    await check("searches, cached", (it) => checkSearches(it, cached, truth)),
    await check("looks, written behind", (it) => checkLooks(it, cached)),
    await check("hits by level", (it) => checkLevels(it, cached)),
  ];
}

export function searchPath({ all, not, to = "" }: Search): string {
  return `/api/search?${new URLSearchParams({ all: all.join(","), not: not.join(","), to }).toString()}`;
}

/** The last flight is applied, so what was found before it is invalid everywhere, also in the API's memory. */
async function checkSearches(it: Check, { base }: Cached, truth: Truth): Promise<void> {
  const visitor = new Visitor(base);
  for (const search of SEARCHES) {
    const path = searchPath(search);
    for (const time of ["first", "again"]) {
      const { items = [] } = (await visitor.ask(path)).body as { items?: string[] };
      it.equal(`${path}, ${time}`, items.toSorted(), found(search, truth));
    }
  }
}

function found({ all, not, to }: Search, { derived, places }: Truth): string[] {
  const codes = [...derived.airports].filter(([code, totals]) => {
    const tags = tagsFor(places.get(code)?.state ?? "", totals);
    const flies = to === undefined || totals.served.includes(to);
    return flies && all.every((tag) => tags.includes(tag)) && !not.some((tag) => tags.includes(tag));
  });
  return codes.map(([code]) => code).toSorted();
}

/** Looks at an airport; resolves with how many that makes, as soon as it is accepted. */
export async function look(visitor: Visitor, code: string): Promise<number> {
  const { body } = await visitor.ask(`/api/airports/${code}/looks`, { method: "POST", body: {} });
  return (body as { looks?: number }).looks ?? 0;
}

/** What was accepted is in the file, whoever was killed since. One look more makes the row of a look that was counted and not accepted right. */
async function checkLooks(it: Check, { base, state, looksFile, looked }: Cached): Promise<void> {
  const accepted = await untilWritten(looksFile, looked);
  for (const [code, looks] of looked) {
    it.that(`accepted looks at ${code}`, looks > 0 && (accepted.get(code) ?? 0) >= looks, () => `not all of ${looks}`);
  }
  const visitor = new Visitor(base);
  for (const [code, looks] of looked) it.that(`looks at ${code} grow`, (await look(visitor, code)) > looks);
  const counted = new Map(
    [...(await state.looks.getMany(looked.keys()))].map(([code, looks]) => [String(code), looks]),
  );
  const rows = await untilWritten(looksFile, counted);
  for (const [code, looks] of counted) it.equal(`looks at ${code} in the file`, rows.get(code), looks);
}

async function untilWritten(file: string, looks: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  for (let round = 1; ; round += 1) {
    const rows = await readLooks(file);
    const isWritten = [...looks].every(([code, count]) => (rows.get(code) ?? 0) >= count);
    if (isWritten || round === ROUNDS) return rows;
    await sleep(ROUND_MS);
  }
}

/** What was just asked twice was found in memory the second time, and the page says so. */
async function checkLevels(it: Check, { base }: Cached): Promise<void> {
  const visitor = new Visitor(base);
  const shown = async (): Promise<CacheReads> =>
    ((await visitor.ask("/api/snapshot")).body as { cache: CacheReads }).cache;
  let reads = await shown();
  for (let round = 0; round < SNAPSHOT_ROUNDS && reads.memory === 0; round += 1) {
    await sleep(SNAPSHOT_MS);
    reads = await shown();
  }
  it.that("hits in memory", reads.memory > 0);
  it.that("what was loaded was missed before", reads.loads > 0 && reads.misses + reads.stale > 0);
  it.that(
    "no count is negative",
    Object.values(reads).every((count) => count >= 0),
  );
}
