/** What a queue holds, for tests of code that adds jobs: without running them. */
import { deepStrictEqual } from "node:assert";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, givenOptions, listOf, type OptionNames, toMs } from "../base/options.ts";
import type { QueueJobInfo, QueueJobState } from "../queue/jobs/info.ts";
import type { QueuePriority } from "../queue/add-options.ts";
import type { Queue } from "../queue/queue.ts";

/** What is given is compared, the rest is not. */
export interface ExpectedJob<Payload> {
  readonly payload?: Payload;
  readonly id?: string;
  readonly name?: string | undefined;
  readonly state?: QueueJobState;
  readonly priority?: QueuePriority;
  readonly group?: string | undefined;
  readonly tags?: readonly string[];
  readonly unique?: string | undefined;
  readonly attempts?: number | undefined;
  /** From when it was added to when it is due. */
  readonly delay?: Duration;
}

const STATES: readonly QueueJobState[] = ["waiting", "delayed", "blocked", "unhandled", "active", "dead", "completed"];
const EXPECTED_NAMES: OptionNames<ExpectedJob<unknown>> = {
  payload: true,
  id: true,
  name: true,
  state: true,
  priority: true,
  group: true,
  tags: true,
  unique: true,
  attempts: true,
  delay: true,
};
/** An id that a process made: which process, which of its calls, which job of that call. */
const MADE = /^(?:\d{1,4}~)?([\w-]{9})([0-9a-z]+)([0-9a-z]{2})$/;

/**
 * Returns the jobs of a queue that are not over, or are kept, in the order in which they were added. Those of the same millisecond, which under a virtual
 * clock are all that were added before time moved on, are in the order of the calls of their process; ones with ids of your own come last among them.
 * @example
 * await signUp("ada@example.com");
 * const [welcome, reminder] = await jobsOf(emails);
 */
export async function jobsOf<Payload, Result>(
  queue: Queue<Payload, Result>,
): Promise<readonly QueueJobInfo<Payload, Result>[]> {
  const found = new Map<string, QueueJobInfo<Payload, Result>>();
  for (const state of STATES) for await (const job of queue.entries({ state })) found.set(job.id, job);
  return [...found.values()].toSorted((a, b) => a.addedAt - b.addedAt || comesAfter(a.id, b.id));
}

/**
 * Compares the jobs of a queue, in the order in which they were added, with what is expected of them. Nothing is run.
 * @throws AssertionError with the difference
 * @example
 * await assertAdded(emails, [{ payload: { to: "ada@example.com" }, name: "welcome" }, { name: "reminder", delay: "7d" }]);
 */
export async function assertAdded<Payload, Result>(
  queue: Queue<Payload, Result>,
  expected: readonly ExpectedJob<Payload>[],
): Promise<void> {
  const wanted = listOf("expected", expected, "jobs").map(checked);
  const jobs = await jobsOf(queue);
  const shown = jobs.map((job, at) => shownAs(job, wanted[at] ?? { payload: undefined }));
  deepStrictEqual(shown, wanted.map(normal), `queue "${queue.name}" has other jobs than expected`);
}

function checked<Payload>(expected: ExpectedJob<Payload>, at: number): ExpectedJob<Payload> {
  if (typeof expected !== "object" || expected === null)
    throw new InvalidArgumentError(`expected[${at}]`, "an object such as { payload: ... }", expected);
  givenOptions(expected, EXPECTED_NAMES, `expected[${at}]`);
  return expected;
}

function normal<Payload>(expected: ExpectedJob<Payload>): Record<string, unknown> {
  return expected.delay === undefined ? { ...expected } : { ...expected, delay: toMs("delay", expected.delay, 0) };
}

/** The fields that are expected. */
function shownAs<Payload>(job: QueueJobInfo<Payload>, expected: ExpectedJob<Payload>): Record<string, unknown> {
  const delay = job.dueAt === undefined ? undefined : job.dueAt - job.addedAt;
  const all: Record<string, unknown> = { ...job, delay };
  return Object.fromEntries(Object.keys(expected).map((field) => [field, all[field]]));
}

function comesAfter(one: string, other: string): number {
  const [a, b] = [MADE.exec(one), MADE.exec(other)];
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  // Of two processes nothing tells which was first.
  if (a[1] !== b[1]) return 0;
  return (
    Number.parseInt(a[2]!, 36) - Number.parseInt(b[2]!, 36) || Number.parseInt(a[3]!, 36) - Number.parseInt(b[3]!, 36)
  );
}
