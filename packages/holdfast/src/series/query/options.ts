import { InvalidArgumentError } from "../../base/errors.ts";
import {
  type Duration,
  givenOptions,
  listOf,
  type OptionNames,
  timeOf,
  toMs,
  withoutUndefined,
} from "../../base/options.ts";
import { checkId, checkText, type Id } from "../../core/keyspace/keyspace.ts";

/** `increase` and `rate` (per second) are of a counter, which begins again at 0 where it falls; `p99.9` is a percentile, within 1 %. */
export type SeriesAggregate =
  | "avg"
  | "sum"
  | "min"
  | "max"
  | "count"
  | "first"
  | "last"
  | "increase"
  | "rate"
  | `p${number}`;

/**
 * What a bucket without points gets: `none`: it is left out; `empty`: nothing; `zero`: 0; `previous`: what the one before has; `linear`: what
 * lies on the line between its neighbours that have points.
 */
export type SeriesFill = "none" | "empty" | "zero" | "previous" | "linear";

export interface SeriesSpanOptions {
  /** The first moment that belongs to it. */
  readonly from?: Date | number;
  /** The first moment that does not. @default the server's time now */
  readonly to?: Date | number;
  /** Instead of `from`: so long before `to`. */
  readonly last?: Duration;
}

export interface SeriesRangeOptions<A extends SeriesAggregate = SeriesAggregate> extends SeriesSpanOptions {
  /** Length of a bucket; buckets begin at multiples of it since 1970, in UTC. */
  readonly every: Duration;
  /** @default "avg" */
  readonly aggregate?: A | readonly A[];
  /** @default "none" */
  readonly fill?: SeriesFill;
}

/** Of several series, which are aligned by their buckets. */
export interface SeriesGroupOptions<A extends SeriesAggregate = SeriesAggregate> extends SeriesRangeOptions<A> {
  /** These series. */
  readonly ids?: Iterable<Id>;
  /** Or those whose labels have these values, any of them where it is a list. */
  readonly where?: SeriesWhere;
  /** The series with the same value of this label become one. @default all of them become one, where there is a `reduce` */
  readonly groupBy?: string;
  /** How those of a group become one. @default each series stands for itself */
  readonly reduce?: SeriesReduce;
}

export type SeriesReduce = "sum" | "avg" | "min" | "max" | "count";
export type SeriesLabels = Readonly<Record<string, string>>;
export type SeriesWhere = Readonly<Record<string, string | readonly string[]>>;

export interface Asked {
  readonly from: number;
  readonly to: number;
  /** The server's time. */
  readonly now: number;
  readonly everyMs: number;
  readonly aggregates: readonly SeriesAggregate[];
  readonly fill: SeriesFill;
}

/** So that an answer has an end. */
const MAX_BUCKETS = 20_000;
const MAX_PERIODS = 20_000;
const MAX_AGGREGATES = 16;
const FILLS: readonly SeriesFill[] = ["none", "empty", "zero", "previous", "linear"];
const REDUCES: readonly SeriesReduce[] = ["sum", "avg", "min", "max", "count"];
const AGGREGATES: ReadonlySet<string> = new Set([
  "avg",
  "sum",
  "min",
  "max",
  "count",
  "first",
  "last",
  "increase",
  "rate",
]);
const SPAN_NAMES: OptionNames<SeriesSpanOptions> = { from: true, to: true, last: true };
const RANGE_NAMES: OptionNames<SeriesRangeOptions> = { ...SPAN_NAMES, every: true, aggregate: true, fill: true };
const GROUP_NAMES: OptionNames<SeriesGroupOptions> = {
  ...RANGE_NAMES,
  ids: true,
  where: true,
  groupBy: true,
  reduce: true,
};

/** Of text that is kept, so that one series has few bytes of it. */
const MAX_LABELS = 16;
const MAX_LABEL = 128;

/** As they are kept; the same text for the same labels. */
export function labelsText(labels: SeriesLabels | undefined): string {
  if (labels === undefined) return "";
  if (typeof labels !== "object" || labels === null || Array.isArray(labels))
    throw new InvalidArgumentError("labels", 'an object of texts such as { region: "eu" }', labels);
  const entries = Object.entries(withoutUndefined(labels)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length > MAX_LABELS) throw new InvalidArgumentError("labels", `at most ${MAX_LABELS} of them`, labels);
  for (const [name, value] of entries) {
    checkText("labels", name, MAX_LABEL);
    checkText(`labels.${name}`, value, MAX_LABEL);
  }
  return JSON.stringify(Object.fromEntries(entries));
}

/** @param now asked where no `to` is given */
export async function spanOf(
  given: SeriesSpanOptions,
  periodMs: number,
  now: () => Promise<number>,
): Promise<{ from: number; to: number }> {
  const { from, to, last } = givenOptions(given, SPAN_NAMES);
  if ((from === undefined) === (last === undefined))
    throw new InvalidArgumentError("from", "a Date or milliseconds since 1970, or `last` instead", from);
  const begin = from === undefined ? undefined : timeOf("from", from);
  const length = last === undefined ? undefined : toMs("last", last);
  // The moment itself is in it.
  const end = to === undefined ? (await now()) + 1 : timeOf("to", to);
  const start = begin ?? Math.max(end - length!, 0);
  if (start > end) throw new InvalidArgumentError("from", "a time that is not after `to`", from);
  if ((end - start) / periodMs > MAX_PERIODS)
    throw new InvalidArgumentError(
      from === undefined ? "last" : "from",
      `at most ${MAX_PERIODS} periods before \`to\``,
      from ?? last,
    );
  return { from: start, to: end };
}

export async function askedOf(given: SeriesRangeOptions, periodMs: number, now: () => Promise<number>): Promise<Asked> {
  const { every, aggregate = "avg", fill = "none", ...span } = givenOptions(given, RANGE_NAMES);
  const everyMs = toMs("every", every);
  const aggregates = typeof aggregate === "string" ? [aggregate] : listOf("aggregate", aggregate, "names");
  if (aggregates.length === 0 || aggregates.length > MAX_AGGREGATES)
    throw new InvalidArgumentError("aggregate", `1 to ${MAX_AGGREGATES} names`, aggregate);
  for (const each of aggregates) if (!isAggregate(each)) throw new InvalidArgumentError("aggregate", EXPECTED, each);
  if (!FILLS.includes(fill)) throw new InvalidArgumentError("fill", `one of ${FILLS.join(", ")}`, fill);
  if (everyMs / periodMs > MAX_PERIODS)
    throw new InvalidArgumentError("every", `a duration of at most ${MAX_PERIODS} periods`, every);
  const { from, to } = await spanOf(span, periodMs, now);
  if ((to - from) / everyMs > MAX_BUCKETS)
    throw new InvalidArgumentError("every", `a duration that gives at most ${MAX_BUCKETS} buckets`, every);
  return { from, to, now: await now(), everyMs, aggregates, fill };
}

export function groupOf(given: SeriesGroupOptions): {
  readonly range: SeriesRangeOptions;
  readonly ids: string[] | undefined;
  readonly where: SeriesWhere;
  readonly groupBy: string | undefined;
  readonly reduce: SeriesReduce | undefined;
} {
  const { ids, where, groupBy, reduce, ...range } = givenOptions(given, GROUP_NAMES);
  if (ids !== undefined && where !== undefined)
    throw new InvalidArgumentError("where", "nothing beside `ids`, which name the series", where);
  if (reduce !== undefined && !REDUCES.includes(reduce))
    throw new InvalidArgumentError("reduce", `one of ${REDUCES.join(", ")}`, reduce);
  if (groupBy !== undefined && (typeof groupBy !== "string" || reduce === undefined))
    throw new InvalidArgumentError("groupBy", "the name of a label, beside `reduce`", groupBy);
  const named = ids === undefined ? undefined : listOf("ids", ids, "ids").map((id) => checkId("ids", id));
  // One that is named twice counts once.
  return { range, ids: named && [...new Set(named)], where: whereOf(where), groupBy, reduce };
}

export function whereOf(where: SeriesWhere | undefined): SeriesWhere {
  const expected = 'an object of labels such as { region: "eu" }';
  if (where === undefined) return {};
  if (typeof where !== "object" || where === null || Array.isArray(where))
    throw new InvalidArgumentError("where", expected, where);
  const given = withoutUndefined(where);
  for (const [label, wanted] of Object.entries(given)) {
    const values = typeof wanted === "string" ? [wanted] : wanted;
    if (!Array.isArray(values) || !values.every((value) => typeof value === "string"))
      throw new InvalidArgumentError(`where.${label}`, "a text or a list of texts", wanted);
  }
  return given;
}

export function quantileOf(aggregate: SeriesAggregate): number | undefined {
  return aggregate.startsWith("p") ? Number(aggregate.slice(1)) / 100 : undefined;
}

const EXPECTED = `one of ${[...AGGREGATES].join(", ")}, or a percentile such as p99`;

function isAggregate(name: unknown): name is SeriesAggregate {
  if (typeof name !== "string") return false;
  if (AGGREGATES.has(name)) return true;
  const percentile = /^p\d{1,3}(?:\.\d{1,6})?$/.test(name) ? Number(name.slice(1)) : Number.NaN;
  return percentile >= 0 && percentile <= 100;
}
