/**
 * Time series: measurements by name and time, kept as they were for a while and in roll-ups for longer, read as buckets.
 *
 * Promises: a point that was answered `ok` is in every range over its time until it expires, in whatever order points came; all chunks and
 * roll-ups expire, and there are no more series than `maxSeries`. A bucket is computed from all points of its time, whether they have been
 * sealed, rolled up, or both. While the server is away, calls wait for it until their deadline and then reject; a point may be sent
 * again, except under `duplicates: "all"` and `"sum"`, where an answer that was lost rejects with OutcomeUnknownError.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, listOf, type OptionNames, timeOf } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Core } from "../core/core.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { KnownPeriods } from "./known.ts";
import { type SeriesOptions, type SeriesSettings, seriesSettings } from "./options.ts";
import { bucketsOfRows, lookBack, type Row, rowsOf, type SeriesBucket } from "./query/buckets.ts";
import { reduced } from "./query/group.ts";
import {
  askedOf,
  type Asked,
  groupOf,
  labelsText,
  quantileOf,
  type SeriesAggregate,
  type SeriesGroupOptions,
  type SeriesLabels,
  type SeriesRangeOptions,
  type SeriesSpanOptions,
  type SeriesWhere,
  spanOf,
  whereOf,
} from "./query/options.ts";
import { bucketsOf, pointsOf } from "./reading.ts";
import { SeriesRegistry } from "./registry.ts";
import { Sealing } from "./sealing.ts";
import { SeriesStore } from "./store.ts";

export interface SeriesPoint {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

export interface SeriesAddOptions {
  /** When it was measured, at most a day ahead. @default the server's time now */
  readonly at?: Date | number;
  /** What the series is found by, at most 16 texts; kept with the series, and replaced by the next that are given. @default as they are */
  readonly labels?: SeriesLabels;
}

/** `late`: its time is no longer kept. `limit`: its period has `maxPoints` points, or there are `maxSeries` series. In both cases nothing was stored. */
export interface SeriesAddResult {
  readonly status: "ok" | "late" | "limit";
}

const ADD_NAMES: OptionNames<SeriesAddOptions> = { at: true, labels: true };
const MAX_AHEAD_MS = 86_400_000;
/** Of one call over several. */
const MAX_GROUPED = 10_000;
const MAX_GROUPED_BUCKETS = 2_000_000;
const PARALLEL = 8;
/** Keys in one UNLINK. */
const UNLINKED = 512;
const ALL = "";

/**
 * @example
 * const latency = hf.series("latency", { keep: "7d", rollups: [{ every: "1m", percentiles: true }] });
 * await latency.add("api", 12.5, { labels: { region: "eu" } });
 * const day = await latency.range("api", { last: "1d", every: "5m", aggregate: ["avg", "p99"] });
 */
export class Series {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: SeriesSettings;
  readonly #store: SeriesStore;
  readonly #registry: SeriesRegistry;
  readonly #known: KnownPeriods;
  readonly #sealing: Sealing;
  readonly #clock: ServerClock;

  constructor(core: Core, name: string, options?: SeriesOptions) {
    this.name = name;
    this.#operations = new Operations("series", name);
    this.#settings = seriesSettings(this.#operations.where, options);
    this.#store = new SeriesStore(core, name, this.#settings);
    this.#registry = new SeriesRegistry(core, this.#store);
    this.#known = new KnownPeriods(this.#store, this.#registry);
    this.#sealing = new Sealing(core, this.#store, this.#registry, this.#operations.where);
    this.#clock = ServerClock.of(core.driver);
  }

  /**
   * Stores a point.
   * Cost: one script (STRLEN, APPEND, GET and mostly SET), about 4 us; those of the same tick and slot share it, and those of one series
   * share its commands. The first one of a period, two more scripts.
   * @throws OutcomeUnknownError if the answer was lost and `duplicates` is `all` or `sum`
   */
  add(id: Id, value: number, options?: SeriesAddOptions): Promise<SeriesAddResult> {
    return this.#operations.run("add", id, async () => {
      const { at, labels } = givenOptions(options, ADD_NAMES);
      if (!Number.isFinite(value)) throw new InvalidArgumentError("value", "a finite number", value);
      const described = labelsText(labels);
      const named = checkId("id", id);
      const given = at === undefined ? undefined : timeOf("at", at);
      const now = this.#clock.now() ?? (await this.#now("add"));
      const time = given ?? Math.floor(now);
      if (time > now + MAX_AHEAD_MS) throw new InvalidArgumentError("at", "a time at most a day ahead", at);
      this.#sealing.notice();
      const period = this.#store.periodOf(time);
      if (this.#store.expiresAt(period) <= now) return { status: "late" };
      const place = { id: named, period };
      const registering = this.#known.register(place, now, described);
      if (registering !== undefined && (await registering).status === "limit") return { status: "limit" };
      // There is one zero for us.
      const { status } = await this.#store.append(named, time, value + 0);
      // A chunk that was not there: nobody has used the period before, or it was sealed while the point was on its way.
      if (status === "opened") await this.#known.again(place);
      return { status: status === "limit" ? "limit" : "ok" };
    });
  }

  /** Returns the newest point by its time, also one that is ahead; undefined if there is none. Cost: GET; calls made in the same tick, in the same slot, share an MGET. */
  last(id: Id): Promise<SeriesPoint | undefined> {
    return this.#operations.run("last", id, async () => pointOf(await this.#store.newest(checkId("id", id))));
  }

  /** Returns the newest points of those series that have one. Cost: one MGET per slot and 512 series. */
  lastMany(ids: Iterable<Id>): Promise<Map<Id, SeriesPoint>> {
    return this.#operations.run("lastMany", undefined, async () => {
      const wanted = [...new Set(listOf("ids", ids, "ids"))];
      for (const id of wanted) checkId("ids", id);
      const found = await inChunks(wanted, (chunk) => Promise.all(chunk.map((id) => this.#store.newest(String(id)))));
      const points = new Map<Id, SeriesPoint>();
      for (const [at, bytes] of found.entries()) {
        const point = pointOf(bytes);
        if (point !== undefined) points.set(wanted[at]!, point);
      }
      return points;
    });
  }

  /** Yields the points of a span in the order of time. Cost: one MGET per up to 32 periods or about 1 MB, when the walk comes to them. */
  async *points(id: Id, options: SeriesSpanOptions): AsyncGenerator<SeriesPoint> {
    const span = await this.#operations.run("points", id, async () => {
      checkId("id", id);
      return spanOf(options, this.#settings.periodMs, () => this.#now("points"));
    });
    this.#sealing.notice();
    for await (const { times, values } of pointsOf(this.#store, String(id), span))
      for (const [at, time] of times.entries()) yield { at: time, value: values[at]! };
  }

  /**
   * Returns the aggregates of each bucket of a span, in the order of time. The first bucket and the last are whole, also where the span
   * begins or ends within them.
   * Cost: per up to 32 periods or about 1 MB one MGET, and with a roll-up whose buckets fit into those that are asked for, one HMGET per 240 of its buckets
   * instead of the points; decoded and aggregated in this process.
   */
  range<A extends SeriesAggregate = "avg">(id: Id, options: SeriesRangeOptions<A>): Promise<SeriesBucket<A>[]> {
    return this.#operations.run("range", id, async () => {
      const named = checkId("id", id);
      const asked = await askedOf(options, this.#settings.periodMs, () => this.#now("range"));
      return bucketsOfRows<A>(await this.#rows(named, asked));
    });
  }

  /**
   * Returns the buckets of several series, aligned: by series; or, with `reduce`, of all of them as one, under `""`; or by the values of the
   * label `groupBy`. At most 10,000 series, and two million buckets of all of them.
   * Cost: as `range` for each of them, 8 at a time, and as `find` without `ids`.
   */
  rangeMany<A extends SeriesAggregate = "avg">(
    options: SeriesGroupOptions<A>,
  ): Promise<Map<string, SeriesBucket<A>[]>> {
    return this.#operations.run("rangeMany", undefined, async () => {
      const { range, ids, where, groupBy, reduce } = groupOf(options);
      const asked = await askedOf(range, this.#settings.periodMs, () => this.#now("rangeMany"));
      // Labels are needed where they decide which series, or which group.
      const labels =
        ids === undefined || groupBy !== undefined ? await this.#found(where) : new Map<string, SeriesLabels>();
      const wanted = ids ?? [...labels.keys()];
      if (wanted.length > MAX_GROUPED)
        throw new InvalidArgumentError("where", `labels of at most ${MAX_GROUPED} series`, where);
      const buckets = wanted.length * Math.ceil((asked.to - asked.from) / asked.everyMs);
      if (buckets > MAX_GROUPED_BUCKETS)
        throw new InvalidArgumentError(
          "every",
          `so long that all series have ${MAX_GROUPED_BUCKETS} buckets at most`,
          range.every,
        );
      const rows = await inChunks(wanted, (chunk) => Promise.all(chunk.map((id) => this.#rows(id, asked))), {
        size: 1,
        parallel: PARALLEL,
      });
      const groups = new Map<string, (readonly Row[])[]>();
      for (const [at, id] of wanted.entries()) {
        const group = reduce === undefined ? id : labelOf(labels.get(id), groupBy);
        const others = groups.get(group);
        if (others === undefined) groups.set(group, [rows[at]!]);
        else others.push(rows[at]!);
      }
      const one = (all: readonly (readonly Row[])[]): readonly Row[] =>
        reduce === undefined ? all[0]! : reduced(all, reduce);
      return new Map([...groups].map(([group, all]) => [group, bucketsOfRows<A>(one(all))]));
    });
  }

  /** Returns the series that there are with their labels; with `where` those whose labels have these values. Cost: one ZSCAN and one HMGET per 512 series. */
  find(where?: SeriesWhere): Promise<Map<string, SeriesLabels>> {
    return this.#operations.run("find", undefined, () => this.#found(whereOf(where)));
  }

  /** Removes a series with all that is kept of it; false if there was none. Idempotent. Another process that adds to it makes it known again in its next period. Cost: one UNLINK per 512 of its keys. */
  remove(id: Id): Promise<boolean> {
    return this.#operations.run("remove", id, async () => {
      const named = checkId("id", id);
      const keys = this.#keysOf(named, await this.#now("remove"));
      this.#known.forget(named);
      await this.#registry.forget(named);
      let removed = 0;
      for (let at = 0; at < keys.length; at += UNLINKED)
        removed += await this.#store.unlink(named, keys.slice(at, at + UNLINKED));
      return removed > 0;
    });
  }

  async #rows(id: string, asked: Asked): Promise<Row[]> {
    this.#sealing.notice();
    const { everyMs } = asked;
    const from = Math.max(asked.from - (asked.from % everyMs) - lookBack(asked) * everyMs, 0);
    const percentiles = asked.aggregates.some((each) => quantileOf(each) !== undefined);
    const wanted = { from, to: Math.ceil(asked.to / everyMs) * everyMs, everyMs, percentiles };
    return rowsOf(asked, bucketsOf(this.#store, id, wanted));
  }

  async #found(where: SeriesWhere): Promise<Map<string, SeriesLabels>> {
    const found = new Map<string, SeriesLabels>();
    const asked = Object.entries(where);
    for await (const page of this.#registry.described(await this.#now("find"))) {
      for (const [id, text] of page) {
        const labels = (text === "" ? {} : JSON.parse(text)) as SeriesLabels;
        const fits = ([name, wanted]: (typeof asked)[number]): boolean =>
          Object.hasOwn(labels, name) &&
          (typeof wanted === "string" ? labels[name] === wanted : wanted.includes(labels[name]!));
        if (asked.every(fits)) found.set(id, labels);
      }
    }
    return found;
  }

  /** All that there may be. */
  #keysOf(id: string, now: number): string[] {
    const { keepMs, rollups } = this.#settings;
    const store = this.#store;
    const last = store.periodOf(now + MAX_AHEAD_MS);
    const keys = new Set([store.newestKey(id)]);
    for (let period = store.periodOf(now - keepMs) - 1; period <= last; period += 1) {
      keys.add(store.openKey({ id, period }));
      keys.add(store.sealedKey({ id, period }));
    }
    for (const rollup of rollups)
      for (
        let period = store.periodOf(now - rollup.keepMs) - rollup.periods;
        period < last + rollup.periods;
        period += rollup.periods
      )
        keys.add(store.rollupKey({ id, period }, rollup));
    return [...keys];
  }

  #now(verb: string): Promise<number> {
    return this.#clock.required(this.#operations.where, { op: `series.${verb}` }).then(Math.floor);
  }
}

/** Its own: there are names that every object has something under. */
function labelOf(labels: SeriesLabels | undefined, name: string | undefined): string {
  return labels !== undefined && name !== undefined && Object.hasOwn(labels, name) ? labels[name]! : ALL;
}

function pointOf(bytes: Buffer | null): SeriesPoint | undefined {
  return bytes?.length === 16 ? { at: bytes.readDoubleLE(0), value: bytes.readDoubleLE(8) } : undefined;
}
