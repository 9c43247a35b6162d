/** All suites, for the runner and for the processes of the contenders. */
import { cacheSuite } from "./cache.bench.ts";
import { driverSuite } from "./driver.bench.ts";
import { embeddedSuite } from "./embedded.bench.ts";
import { feedSuite } from "./feed.bench.ts";
import { leaderboardSuite } from "./leaderboard.bench.ts";
import { geoSuite } from "./geo.bench.ts";
import { limitsSuite } from "./limits.bench.ts";
import { locksSuite } from "./locks.bench.ts";
import { queueSuite } from "./queue.bench.ts";
import { recordsSuite } from "./records.bench.ts";
import { scriptSuite } from "./script.bench.ts";
import { semaphoreSuite } from "./semaphore.bench.ts";
import { seriesSuite } from "./series.bench.ts";
import { sketchesSuite } from "./sketches.bench.ts";
import { topicsSuite } from "./topics.bench.ts";
import { uniquesSuite } from "./uniques.bench.ts";
import type { MeasuredSuite, Suite } from "./suite.ts";

export const SUITES: Readonly<Record<string, Suite | MeasuredSuite>> = {
  driver: driverSuite,
  cache: cacheSuite,
  script: scriptSuite,
  limits: limitsSuite,
  locks: locksSuite,
  semaphore: semaphoreSuite,
  queue: queueSuite,
  topics: topicsSuite,
  series: seriesSuite,
  leaderboard: leaderboardSuite,
  records: recordsSuite,
  feed: feedSuite,
  uniques: uniquesSuite,
  sketches: sketchesSuite,
  geo: geoSuite,
  embedded: embeddedSuite,
};

export function suiteOf(name: string): Suite | MeasuredSuite {
  const suite = SUITES[name];
  if (suite === undefined) throw new Error(`no suite "${name}"; there are ${Object.keys(SUITES).join(", ")}`);
  return suite;
}
