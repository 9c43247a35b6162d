/** The handle: one connection, one factory per primitive. The only place that knows them all. */
import { InvalidArgumentError } from "./base/errors.ts";
import { Actives } from "./actives/actives.ts";
import type { ActivesOptions } from "./actives/options.ts";
import { Barrier } from "./barrier/barrier.ts";
import type { BarrierOptions } from "./barrier/options.ts";
import { Bloom } from "./bloom/bloom.ts";
import type { BloomOptions } from "./bloom/options.ts";
import { Cache } from "./cache/cache.ts";
import { cached, type Cached } from "./cache/cached/cached.ts";
import type { CachedOptions } from "./cache/cached/options.ts";
import type { CacheOptions } from "./cache/options.ts";
import { Channel, ChannelPattern } from "./channel/channel.ts";
import type { ChannelOptions, ChannelPatternOptions } from "./channel/options.ts";
import type { Core } from "./core/core.ts";
import { LeaseHolders } from "./core/lease/lease-holders.ts";
import { Counter } from "./counter/counter.ts";
import {
  type BigCounterOptions,
  type CounterOptions,
  counterSettings,
  type ShardedCounterOptions,
} from "./counter/options.ts";
import { ShardedCounter } from "./counter/sharded.ts";
import { type CommandArg, sendCommand } from "./core/command/command.ts";
import type { Driver, Reply, StateEvent } from "./driver/port.ts";
import { Election } from "./election/election.ts";
import type { ElectionOptions } from "./election/options.ts";
import { Feed } from "./feed/feed.ts";
import type { FeedOptions } from "./feed/options.ts";
import type { FeedJob, FeedQueue } from "./feed/publish/port.ts";
import type { FlagsOptions } from "./flags/options.ts";
import { Flags } from "./flags/flags.ts";
import { Geo } from "./geo/geo.ts";
import type { GeoOptions } from "./geo/options.ts";
import { Geofence, type GeofenceLive, type GeofenceTransition } from "./geofence/geofence.ts";
import type { GeofenceOptions } from "./geofence/options.ts";
import { Idempotency } from "./idempotency/idempotency.ts";
import type { IdempotencyOptions } from "./idempotency/options.ts";
import { IdempotencyRuns } from "./idempotency/runs.ts";
import type { Id } from "./core/keyspace/keyspace.ts";
import { scanKeys, type ScanOptions } from "./core/keyspace/scan.ts";
import { Latch } from "./latch/latch.ts";
import type { LatchOptions } from "./latch/options.ts";
import { Limiter } from "./limiter/limiter.ts";
import type { LimiterOptions } from "./limiter/options.ts";
import { Leaderboard } from "./leaderboard/leaderboard.ts";
import type { LeaderboardOptions } from "./leaderboard/options.ts";
import { Fenced, type FencedOptions } from "./lock/fenced.ts";
import { LockSet } from "./lock/lock-set.ts";
import { Lock } from "./lock/lock.ts";
import { Locks } from "./lock/locks.ts";
import { Handovers } from "./lock/handovers.ts";
import type { LockPaths } from "./lock/store.ts";
import { UncontendedLocks } from "./lock/uncontended.ts";
import type { LockOptions } from "./lock/options.ts";
import type { RwLockOptions } from "./rwlock/options.ts";
import { RwLock } from "./rwlock/rwlock.ts";
import type { SemaphoreOptions } from "./semaphore/options.ts";
import { Semaphore } from "./semaphore/semaphore.ts";
import type { PresenceOptions } from "./presence/options.ts";
import { Presence } from "./presence/presence.ts";
import { PresenceRooms } from "./presence/rooms.ts";
import type { TagsOptions } from "./tags/options.ts";
import { Tags } from "./tags/tags.ts";
import type { QueueOptions } from "./queue/options.ts";
import { Queue } from "./queue/queue.ts";
import type { QueueWorker } from "./queue/worker.ts";
import type { QueueHandling } from "./queue/workers/handling.ts";
import { type QueueWorkSeveralOptions, workSeveral } from "./queue/workers/several.ts";
import type { RecordsOptions } from "./records/options.ts";
import { Records } from "./records/records.ts";
import {
  runTransaction,
  type TransactionBody,
  type TransactionOptions,
  type TransactionResult,
} from "./transaction/transaction.ts";
import type { SeriesOptions } from "./series/options.ts";
import { Series } from "./series/series.ts";
import type { StreamOptions } from "./stream/options.ts";
import { Stream } from "./stream/stream.ts";
import type { SessionsOptions } from "./sessions/options.ts";
import { Sessions } from "./sessions/sessions.ts";
import type { UniquesOptions } from "./uniques/options.ts";
import { Uniques } from "./uniques/uniques.ts";
import type { ValueOptions } from "./value/options.ts";
import type { TopKOptions } from "./topk/options.ts";
import { TopK } from "./topk/topk.ts";
import { LatestTopic } from "./topic/latest/latest-topic.ts";
import type { TopicOptions } from "./topic/options.ts";
import { Topic } from "./topic/topic.ts";
import { Value } from "./value/value.ts";

export class Holdfast implements AsyncDisposable {
  readonly #core: Core;
  readonly #holders: LeaseHolders;
  readonly #lockPaths: LockPaths;
  readonly #idempotencyRuns: IdempotencyRuns;
  readonly #presenceRooms: PresenceRooms;

  constructor(core: Core) {
    this.#core = core;
    this.#holders = new LeaseHolders(core);
    const handovers = new Handovers(core.driver.runtime, core.wakeups);
    this.#lockPaths = { uncontended: new UncontendedLocks(core.driver), handovers };
    this.#idempotencyRuns = new IdempotencyRuns(core);
    this.#presenceRooms = new PresenceRooms(core);
  }

  /** What a handle stands on, for what stands on several of them; undefined for what is no handle. @internal */
  static coreOf(handle: unknown): Core | undefined {
    return typeof handle === "object" && handle !== null && #core in handle ? handle.#core : undefined;
  }

  /** The floor under the primitives, for commands of your own: deadlines and retries apply as the call's class says. */
  get driver(): Driver {
    return this.#core.driver;
  }

  /** Values with a time to live, loaded once for the whole fleet. */
  cache<V>(name: string, options?: CacheOptions<V>): Cache<V> {
    return new Cache<V>(this.#core, name, options);
  }

  /** A function whose results are cached by its arguments, with the options of a cache and its promises. */
  cached<Args extends readonly unknown[], R>(
    fn: (...args: Args) => R,
    options: CachedOptions<Args, Awaited<R>>,
  ): Cached<Args, Awaited<R>> {
    return cached<Args, Awaited<R>>(this.#core, fn as (...args: Args) => Awaited<R>, options);
  }

  /** A rate limit per id: GCRA or a sliding window, decided by the server, with a stated policy for its outages. */
  limiter(name: string, options: LimiterOptions): Limiter {
    return new Limiter(this.#core, name, options);
  }

  /** Whole numbers that all processes add to, within bounds and with a time to live. */
  counter(name: string, options: ShardedCounterOptions): ShardedCounter;
  counter(name: string, options: BigCounterOptions): Counter<bigint>;
  counter(name: string, options?: CounterOptions): Counter;
  counter(
    name: string,
    options?: CounterOptions | BigCounterOptions | ShardedCounterOptions,
  ): Counter | Counter<bigint> | ShardedCounter {
    const settings = counterSettings(name, options);
    if (settings.shards > 1) return new ShardedCounter(this.#core, name, settings);
    if (settings.isBig) return new Counter<bigint>(this.#core, name, settings);
    const counter: Counter = new Counter(this.#core, name, settings);
    return counter;
  }

  /** Objects stored field by field: read and written in parts, versioned. */
  records<T extends object>(name: string, options?: RecordsOptions<T>): Records<T> {
    return new Records<T>(this.#core, name, options);
  }

  /** One small value by name, such as settings or flags: versioned, changed by compare-and-set, watched. */
  value<V>(name: string, options?: ValueOptions<V>): Value<V> {
    return new Value<V>(this.#core, name, options);
  }

  /** Feature flags: set once for the whole fleet, evaluated in memory, pushed when they change. */
  flags(name: string, options?: FlagsOptions): Flags {
    return new Flags(this.#core, name, options);
  }

  /** Members with positions on the earth, found by nearness. */
  geo(name: string, options: GeoOptions = {}): Geo {
    return new Geo(this.#core, name, options);
  }

  /** Fences on the map: which of them contain a point, and who enters, stays in and leaves them. */
  geofence(name: string, options: GeofenceOptions = {}): Geofence {
    const live = (): GeofenceLive => new Channel<GeofenceTransition>(this.#core, `geofence:${name}`);
    return new Geofence(this.#core, name, options, live);
  }

  /**
   * Sessions of users and visitors: read in one round trip, ended for good. Two names are two separate sets of sessions.
   * @param name "sessions" unless given
   */
  sessions<Data extends object, Device = unknown>(options?: SessionsOptions<Data>): Sessions<Data, Device>;
  sessions<Data extends object, Device = unknown>(
    name: string,
    options?: SessionsOptions<Data>,
  ): Sessions<Data, Device>;
  sessions<Data extends object, Device = unknown>(
    first?: string | SessionsOptions<Data>,
    second?: SessionsOptions<Data>,
  ): Sessions<Data, Device> {
    const [name, options] = typeof first === "string" ? [first, second] : ["sessions", first];
    return new Sessions<Data, Device>(this.#core, name, options);
  }

  /** A gate that opens for everybody, in any process, once so many have counted down. */
  latch(name: string, options: LatchOptions): Latch {
    return new Latch(this.#core, name, options);
  }

  /** So many begin a step together and end it together; one that dies inside breaks it for all. */
  barrier(name: string, options: BarrierOptions): Barrier {
    return new Barrier(this.#core, name, options);
  }

  /** Members with scores: ranks, pages, neighbours. */
  leaderboard<Meta = unknown>(name: string, options?: LeaderboardOptions<Meta>): Leaderboard<Meta> {
    return new Leaderboard<Meta>(this.#core, name, options);
  }

  /** Items by their tags, in both directions. */
  tags(name: string, options: TagsOptions = {}): Tags {
    return new Tags(this.#core, name, options);
  }

  /** Jobs for workers in any process: run at least once, retried, delayed, never lost while the server keeps its data. */
  queue<Payload, Result = unknown>(name: string, options?: QueueOptions<Payload, Result>): Queue<Payload, Result> {
    return new Queue<Payload, Result>(this.#core, name, options);
  }

  /**
   * Runs handlers for the jobs of several queues in one worker, which share its `concurrency`, until it, or the handle, is closed.
   * Cost: as `queue.work` for each of them.
   */
  work(handlings: readonly QueueHandling[], options?: QueueWorkSeveralOptions): QueueWorker {
    return workSeveral(this.#core, handlings, options);
  }

  /** Messages to everybody who listens at the moment: at most once, in order; gaps are reported. And requests that one of many responders answers. */
  channel<T, R = unknown>(name: string, options?: ChannelOptions<T, R>): Channel<T, R> {
    return new Channel<T, R>(this.#core, name, options);
  }

  /** All channels whose names match a glob pattern, such as `flights.*`. */
  channels<T>(pattern: string, options?: ChannelPatternOptions<T>): ChannelPattern<T> {
    return new ChannelPattern<T>(this.#core, pattern, options);
  }

  /** Messages that are kept for a time, for everybody who reads them, now or later: in order, with explicit gaps. */
  topic<T>(name: string, options: TopicOptions<T> & { readonly latest: true }): LatestTopic<T>;
  topic<T>(name: string, options?: TopicOptions<T>): Topic<T>;
  topic<T>(name: string, options?: TopicOptions<T>): Topic<T> | LatestTopic<T> {
    if (options?.latest === true) return new LatestTopic<T>(this.#core, name, options);
    return new Topic<T>(this.#core, name, options);
  }

  /** Measurements by name and time, kept as they were for a while and rolled up for longer; read as buckets, by labels, with percentiles. */
  series(name: string, options?: SeriesOptions): Series {
    return new Series(this.#core, name, options);
  }

  /** How many different members there were, by id and window of time: exact while they are few, an estimate within 0.8 % beyond. */
  uniques(name: string, options?: UniquesOptions): Uniques {
    return new Uniques(this.#core, name, options);
  }

  /** Whether something was there before, in about ten bits for each member: never "no" for one that was, seldom "yes" for one that was not. */
  bloom(name: string, options: BloomOptions): Bloom {
    return new Bloom(this.#core, name, options);
  }

  /** The most frequent members of many, by window of time: what is trending, without a counter for each member. */
  topk(name: string, options?: TopKOptions): TopK {
    return new TopK(this.#core, name, options);
  }

  /** Who was there on which day, in one bit each: daily, weekly and monthly active users, and how many of them came back. */
  actives(name: string, options?: ActivesOptions): Actives {
    return new Actives(this.#core, name, options);
  }

  /** What authors publish in the feeds of those who follow them, and in feeds by name: pages, groups, what is new, live. */
  feed<T>(name: string, options?: FeedOptions<T>): Feed<T> {
    return new Feed<T>(this.#core, feedQueue(this.#core, name), name, options);
  }

  /** Who is in a room, over all processes: joins, leaves, several devices of a user, watched by all. */
  presence<Meta = unknown>(room: string, options?: PresenceOptions<Meta>): Presence<Meta> {
    return new Presence<Meta>(this.#core, this.#presenceRooms, room, options);
  }

  /** What one producer writes piece by piece and any number of readers follow from anywhere: an AI's answer, a long export. */
  stream<T>(id: string, options?: StreamOptions<T>): Stream<T> {
    return new Stream<T>(this.#core, id, options);
  }

  /** One holder in the whole fleet, by name: `await using held = await hf.lock("invoice:42").acquire()`. Several names: held together or not at all. */
  lock(name: string, options?: LockOptions): Lock;
  lock(names: readonly string[], options?: LockOptions): LockSet;
  lock(names: string | readonly string[], options?: LockOptions): Lock | LockSet {
    const parts = { holders: this.#holders, ...this.#lockPaths };
    if (typeof names === "object" && names !== null) return new LockSet(this.#core, parts, names, options);
    return new Lock(this.#core, parts, names, options);
  }

  /** All locks that are held, of those with `index: true`. */
  get locks(): Locks {
    return new Locks(this.#core, this.#lockPaths);
  }

  /** A function is run once per key in the whole fleet; whoever repeats the call gets the outcome of the first. */
  idempotency<V = unknown>(name: string, options?: IdempotencyOptions<V>): Idempotency<V> {
    return new Idempotency<V>(this.#core, this.#idempotencyRuns, name, options);
  }

  /** So many holders at a time in the whole fleet: `await using permit = await hf.semaphore("gpu", { permits: 4 }).acquire()`. */
  semaphore(name: string, options: SemaphoreOptions): Semaphore {
    return new Semaphore(this.#core, this.#holders, name, options);
  }

  /** One leader in the whole fleet, by name, whom everybody knows: terms that rise, candidates in order, hand-over. */
  election<V = unknown>(name: string, options?: ElectionOptions<V>): Election<V> {
    return new Election<V>(this.#core, name, options);
  }

  /** Many readers or one writer in the whole fleet: `await using reading = await hf.rwlock("config").read.acquire()`. */
  rwlock(name: string, options?: RwLockOptions): RwLock {
    return new RwLock(this.#core, this.#holders, name, options);
  }

  /** Values that a lock guards: a write with a lower fence than the last is refused. */
  fenced<V>(name: string, options?: FencedOptions<V>): Fenced<V> {
    return new Fenced<V>(this.#core, name, options);
  }

  /**
   * Runs `body`, then what it has queued, if none of `keys` (full names in the same slot, see `key`) has changed in between;
   * else again. Cost per attempt: WATCH, the reads, and MULTI to EXEC in one piece, on a connection of its own.
   * @throws OutcomeUnknownError when the connection was lost after EXEC was sent
   */
  transaction<T>(
    keys: readonly string[],
    body: TransactionBody<T>,
    options?: TransactionOptions,
  ): Promise<TransactionResult<T>> {
    return runTransaction(this.#core.driver, keys, body, options);
  }

  /**
   * Sends a command of your own and returns the server's reply, with bulk strings as Buffers. Its key decides the node; reads
   * and idempotent writes are repeated when their answer was lost, everything else is not. For a deadline or a signal of its
   * own, see `driver.send`. Cost: the command.
   * @throws InvalidArgumentError for a command that blocks or changes the connection, which all calls share
   * @example
   * const length = await hf.command("STRLEN", hf.key("jobs", 42));
   */
  command(name: string, ...args: CommandArg[]): Promise<Reply> {
    return sendCommand(this.#core.driver, name, args);
  }

  /** Returns a full key name for commands of your own. All names of one `group` are in the same cluster slot. */
  key(group: string, name: Id): string {
    return this.#core.keys.group("key", group).part("of", name);
  }

  /** Yields pages of the full names of this handle's keys; `head` narrows it, as in `cache:users:`. Cost: SCAN on every primary. */
  scan(head = "", options?: ScanOptions): AsyncGenerator<string[]> {
    // What is no text is refused by its type, so it must not become one here.
    const start = typeof head === "string" ? `${this.#core.keys.prefix}:${head}` : head;
    return scanKeys(this.#core.driver, start, options);
  }

  /** Resolves when a server answers. Cost: PING. */
  async ping(): Promise<void> {
    await this.#core.driver.send(["PING"], { op: "ping", class: "read" });
  }

  /** Calls `listener` when a node is reached (`up`) or lost (`down`), and at the end (`closed`). Returns the function that stops it. */
  onState(listener: (event: StateEvent) => void): () => void {
    if (typeof listener !== "function")
      throw new InvalidArgumentError("listener", "a function", listener, { where: "onState" });
    return this.#core.driver.onState(listener);
  }

  /**
   * Ends background work, releases what is held, closes the connection. Idempotent. For a handler of a channel or a queue it resolves at once:
   * the handle closes when the handler has ended.
   */
  close(): Promise<void> {
    return this.#core.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The queue by which a feed brings entries to many followers; made when it is needed. */
function feedQueue(core: Core, name: string): FeedQueue {
  let queue: Queue<FeedJob> | undefined;
  const open = (): Queue<FeedJob> => (queue ??= new Queue<FeedJob>(core, `feed:${name}`, { attempts: 10 }));
  return {
    add: (job, id) => open().add(job, { id }),
    work: (run, concurrency) =>
      open().work((job) => run(job.payload, (source, each) => job.iterate("chunks", source, each)), { concurrency }),
  };
}
