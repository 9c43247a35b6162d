/** Every public call of every primitive with arguments that it takes: for tests of what holds for all of them. Longer than other files because of the table. */
import type { BarrierPass, HeldLock, Holdfast, Leadership, QueueHandling } from "../../src/index.ts";
import { randomName } from "./two-handles.ts";

/** What names something (an id, a member, a tag, a user, a command): errors may show it. */
export class Name {
  readonly text: unknown;
  constructor(text: unknown) {
    this.text = text;
  }
}

const name = (text: unknown): Name => new Name(text);
const anything = { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } };
const { signal } = new AbortController();
const codec = {
  serializer: "structured",
  strict: true,
  reads: ["json"],
  compress: { algorithm: "gzip", threshold: 1_000 },
  encrypt: { keys: { k: "11".repeat(32) }, current: "k", allowPlaintext: true },
  maxOutputLength: 1_000_000,
  maxItems: 1_000,
  maxDepth: 10,
};
const subscribing = {
  capacity: 10,
  onOverflow: "drop-oldest",
  onGap: () => undefined,
  onError: () => undefined,
  signal,
};

const FLAG = { variants: { on: true }, default: "on", rules: [{ when: { a: 1 }, serve: "on" }] };

/** The factories' options, all of them. */
export const FACTORIES: Record<string, unknown> = {
  cache: {
    ...codec,
    schema: anything,
    ttl: "1m",
    jitter: 0.1,
    negativeTtl: "1s",
    grace: "1m",
    softTimeout: "1s",
    serverSoftTimeout: "1s",
    graceBackoff: "1s",
    refreshAhead: 0.8,
    maxLoads: 5,
    loadTimeout: "1s",
    loadLease: "1s",
    timeout: "9s",
    autoRecovery: false,
    onOutage: "load",
    index: true,
    longIds: "hash",
    writer: {
      write: () => undefined,
      mode: "behind",
      writeTimeout: "1s",
      batch: 10,
      linger: "1ms",
      poll: "1s",
      claim: "9s",
      attempts: 5,
      backoff: "1s",
      maxBackoff: "1m",
      drainTimeout: "1ms",
      sweep: "1h",
      onError: () => undefined,
    },
  },
  limiter: { limit: 5, window: "1m", algorithm: "gcra", burst: 5, onOutage: "allow", timeout: "9s" },
  counter: {
    ttl: "1m",
    min: -5,
    max: 5,
    windows: ["hour", { per: "minute", keep: 5 }],
    idempotencyTtl: "1m",
    timeout: "9s",
  },
  records: {
    ...codec,
    schema: anything,
    ttl: "1m",
    // None, as what is encrypted can be in no index.
    unique: [],
    index: [],
    partitions: 2,
    defaults: { y: 1 },
    fieldTtl: { z: "1m" },
    migrations: [(record: object) => record],
    attempts: 5,
    timeout: "9s",
  },
  geo: { ttl: "1m", timeout: "9s" },
  geofence: { margin: 5, settle: "1s", dwell: "1m", ttl: "1h", maxFences: 10, live: true, timeout: "9s" },
  series: {
    keep: "1d",
    period: "1h",
    rollups: [{ every: "1m", keep: "2d", percentiles: true }],
    duplicates: "max",
    maxPoints: 50,
    maxSeries: 50,
    timeout: "9s",
  },
  uniques: { window: "1d", keep: 7, timeZone: name("UTC"), ttl: undefined, timeout: "9s" },
  actives: { window: "day", keep: 7, timeZone: name("UTC"), maxUsers: 50, partitions: 2, timeout: "9s" },
  bloom: { capacity: 50, errorRate: 0.1, ttl: "1m", timeout: "9s" },
  topk: {
    k: 5,
    counters: 50,
    window: "1h",
    keep: 5,
    timeZone: name("UTC"),
    ttl: undefined,
    idempotencyTtl: "1m",
    timeout: "9s",
  },
  feed: {
    serializer: "structured",
    strict: true,
    reads: ["json"],
    compress: codec.compress,
    encrypt: codec.encrypt,
    activity: anything,
    group: () => undefined,
    keep: "1d",
    activeFor: "1h",
    push: 50,
    direct: 5,
    maxOutbox: 50,
    maxNamed: 50,
    maxFollowing: 50,
    maxFollowers: 50,
    timeout: "9s",
  },
  flags: { maxFlags: 50, maxHistory: 50, timeout: "9s" },
  latch: { count: 1, ttl: "1m", timeout: "9s" },
  barrier: { parties: 1, ttl: "1m", timeout: "9s" },
  value: { ...codec, schema: anything, initial: 1, attempts: 5, timeout: "9s" },
  presence: {
    ...codec,
    schema: anything,
    ttl: "1m",
    grace: "1s",
    maxMembers: 50,
    maxDevices: 5,
    maxMetaBytes: 500,
    timeout: "9s",
  },
  sessions: {
    ...codec,
    schema: anything,
    idleTimeout: "1m",
    absoluteTimeout: "1h",
    touchAfter: "1s",
    maxPerUser: 5,
    onLimit: "reject",
    rotationGrace: "1s",
    timeout: "9s",
  },
  leaderboard: {
    order: "desc",
    ties: "dense",
    subscore: { max: 100, order: "asc" },
    meta: true,
    maxMetaBytes: 500,
    windows: ["day", { name: "season", every: "30d", keep: 2 }],
    timeZone: "Europe/Berlin",
    archive: { top: 5, keep: "1d" },
    maxSize: 50,
    ttl: "1m",
    idempotencyTtl: "1m",
    timeout: "9s",
  },
  tags: { ttl: "1m", maxItems: 50, timeout: "9s" },
  queue: {
    serializer: "structured",
    compress: codec.compress,
    encrypt: codec.encrypt,
    payload: anything,
    result: anything,
    attempts: 2,
    backoff: { type: "fixed", delay: "1s", max: "1s", jitter: 0.1 },
    maxCrashes: 2,
    partitions: 1,
    maxWaiting: 50,
    events: { max: 100 },
    keep: { completed: { count: 5, age: "1m" }, dead: { count: 5, age: "1m" } },
    durability: { replicas: 1, aof: false, timeout: "1s" },
    runTimeout: "1m",
    resultTtl: "1m",
    timeout: "9s",
  },
  channel: { ...codec, schema: anything, reply: anything, sharded: false, timeout: "9s" },
  stream: { ...codec, schema: anything, ttl: "1h", maxBytes: 5_000, lease: "9s", takeover: "1s", timeout: "9s" },
  channels: { ...codec, schema: anything, timeout: "9s" },
  topic: {
    serializer: "structured",
    strict: true,
    reads: ["json"],
    compress: codec.compress,
    encrypt: codec.encrypt,
    message: anything,
    partitions: 2,
    keep: "1h",
    maxMessages: 1_000,
    keepUnread: false,
    onFull: "refuse",
    dedupeFor: "1m",
    delays: true,
    latest: false,
    maxKeys: undefined,
    expires: undefined,
    timeout: "9s",
  },
  lock: {
    ttl: "1m",
    renew: true,
    maxHold: "1m",
    owner: name("me"),
    index: true,
    durability: { replicas: 1, timeout: "1s" },
    timeout: "9s",
  },
  semaphore: { permits: 5, ttl: "1m", renew: true, maxHold: "1m", order: "strict", timeout: "9s" },
  rwlock: { ttl: "1m", renew: true, maxHold: "1m", timeout: "9s" },
  fenced: { ...codec, schema: anything, ttl: "1m" },
  idempotency: {
    ...codec,
    schema: anything,
    ttl: "1m",
    lease: "9s",
    maxHold: "1m",
    store: "all",
    isFinal: () => false,
    timeout: "9s",
  },
  election: { ...codec, schema: anything, id: name("me"), ttl: "1m", lockDelay: "1s", timeout: "9s" },
};

/** Options without which an instance takes not all of its calls. */
const NEEDED: Record<string, object> = {
  cache: { index: true },
  bloom: { capacity: 50 },
  topk: { window: "1h" },
  latch: { count: 1 },
  records: { unique: ["x"], index: ["x"] },
  barrier: { parties: 1 },
  limiter: { limit: 5, window: "1m" },
  semaphore: { permits: 5 },
  queue: { events: { max: 100 } },
  topic: { delays: true },
  counter: { windows: ["hour"] },
  leaderboard: { subscore: { max: 100 }, meta: true, windows: ["day"] },
};

/** By instance, then by method: the arguments. */
function methods(
  id: string,
  jobId: string,
  token: string,
  handling: QueueHandling,
): Record<string, Record<string, unknown[]>> {
  const n = name("a");
  const point = { lon: 1, lat: 2 };
  const table: Record<string, Record<string, unknown[]>> = {
    cache: {
      get: [n],
      getMany: [name(["a"])],
      getOrSet: [name("b"), () => 1, { ttl: "1m", tags: ["t"], refresh: false, signal }],
      getOrSetMany: [name(["b"]), () => new Map(), { ttl: "1m", signal }],
      set: [n, 1, { ttl: "1m", tags: ["t"] }],
      has: [n],
      take: [n],
      touch: [n, { ttl: "1m" }],
      hasMany: [name(["a"])],
      getEntry: [n],
      keys: [{ prefix: name("a") }],
      entries: [{ prefix: name("a") }],
      size: [{ prefix: name("a") }],
      explain: [n],
      setMany: [[["a", 1]], { ttl: "1m", tags: ["t"] }],
      delete: [n],
      deleteMany: [name(["a"])],
      expire: [n],
      invalidate: [{ tags: ["t"] }],
      clear: [],
      peek: [n],
      stats: [],
      write: [n, 1, { ttl: "1m" }],
      writeMany: [[["a", 1]], { ttl: "1m" }],
    },
    "cache.writer": {
      lag: [],
      pause: [],
      resume: [],
      drain: [],
      stats: [],
    },
    "cache.writer.dead": { entries: [], redrive: [name(["a"])], delete: [name(["a"])] },
    limiter: { consume: [n, { cost: 1 }], peek: [n, { cost: 1 }], reset: [n] },
    counter: {
      increment: [n, 1, { idempotencyKey: name("x"), ttl: "1m" }],
      decrement: [n, 1, { idempotencyKey: name("y"), ttl: "1m" }],
      get: [n],
      getMany: [name(["a"])],
      reset: [n],
      window: [name("hour")],
    },
    "counter.window": { sum: [n, { last: 2 }], values: [n, { last: 2 }] },
    "sharded counter": {
      increment: [n, 1, { idempotencyKey: name("x") }],
      decrement: [n, 1, { idempotencyKey: name("y") }],
      get: [n],
      getMany: [name(["a"])],
      reset: [n],
    },
    records: {
      get: [n, name(["x"])],
      getMany: [name(["a"]), name(["x"])],
      has: [n],
      set: [n, { x: 1 }, { version: 1 }],
      patch: [n, { x: 1 }, { version: 1 }],
      increment: [n, name("x"), 1],
      update: [n, (value: object) => value, { initial: { x: 1 } }],
      merge: [n, { x: 1 }, { version: 1 }],
      delete: [n],
      getBy: [name("x"), name(1)],
      find: [{ x: { gte: 1 } }, { sort: name("x"), order: "desc", limit: 5, fields: name(["x"]) }],
      count: [{ x: { in: [1, 2] } }, { exact: true }],
      min: [name("x"), { x: { lt: 5 } }],
      max: [name("x"), { x: 1 }],
      reindex: [{ limit: 10, signal }],
      migrateAll: [{ limit: 10, signal }],
    },
    barrier: { enter: [{ timeout: "30s", signal }] },
    "barrier pass": { leave: [{ timeout: "30s", signal }] },
    latch: { countDown: [n], wait: [{ timeout: 10, signal }], reset: [], info: [] },
    value: {
      get: [],
      set: [1],
      compareAndSet: [5, 1],
      update: [(value: unknown) => value, { initial: 1 }],
      delete: [],
      watch: [{ signal: AbortSignal.abort() }],
    },
    presence: {
      join: [n, { meta: 1, device: name("phone"), rejoin: false, onChange: () => undefined }],
      members: [{ cursor: name("a"), limit: 5 }],
      get: [n],
      has: [n],
      count: [],
      watch: [{ signal: AbortSignal.abort() }],
    },
    "presence membership": { update: [1], leave: [{ grace: "1s" }] },
    series: {
      add: [n, 1, { at: Date.now(), labels: { kind: name("web") } }],
      last: [n],
      lastMany: [name(["a"])],
      points: [n, { last: "1m", to: Date.now() }],
      range: [n, { last: "1m", to: Date.now(), every: "1m", aggregate: "avg", fill: "zero" }],
      rangeMany: [{ last: "1m", every: "1m", where: { kind: name("web") }, groupBy: "kind", reduce: "sum" }],
      find: [{ kind: name("web") }],
      remove: [n],
    },
    uniques: {
      add: [n, name(["x"]), { at: Date.now() }],
      count: [n, { last: 2, to: Date.now() }],
      countMany: [name(["a"]), { last: 2, to: Date.now() }],
      history: [n, { last: 2, to: Date.now() }],
      remove: [n],
    },
    actives: {
      mark: [n, { at: Date.now() }],
      markMany: [name(["x"]), { at: Date.now() }],
      count: [{ last: 2, to: Date.now() }],
      history: [{ last: 2, to: Date.now() }],
      union: [[Date.now()]],
      intersection: [[Date.now()]],
      retention: [{ from: Date.now(), windows: 2, of: "new" }],
      clear: [],
    },
    flags: {
      set: [n, FLAG, { ifVersion: undefined, by: name("me"), why: name("because") }],
      get: [n],
      list: [],
      history: [{ flag: n, limit: 5 }],
      delete: [n, { ifVersion: undefined, by: name("me"), why: name("because") }],
      client: [{ bootstrap: { b: FLAG }, onError: () => undefined }],
    },
    "flags.client": {
      ready: [],
      value: [n, false, name({ targetingKey: "u" })],
      evaluate: [n, false, name({ targetingKey: "u" })],
      all: [name({ targetingKey: "u" })],
      onChange: [() => undefined],
    },
    bloom: {
      add: [n],
      addMany: [name(["x"])],
      has: [n],
      hasMany: [name(["x"])],
      info: [],
      clear: [],
    },
    topk: {
      add: [n, 1, { at: Date.now(), idempotencyKey: name("x") }],
      list: [{ last: 2, to: Date.now(), halfLife: "1h", limit: 5 }],
      counts: [name(["a"]), { last: 2, to: Date.now() }],
      clear: [],
    },
    feed: {
      publish: [name("ada"), { x: 1 }, { id: name("a"), at: Date.now(), to: name(["team"]), followers: true }],
      idOf: [name("ada"), name("a"), Date.now()],
      get: [name("0123456789abcdef")],
      delete: [name("0123456789abcdef")],
      follow: [name("eve"), name("ada"), { backfill: 5 }],
      unfollow: [name("eve"), name("ada")],
      following: [name("eve")],
      followers: [name("ada"), { cursor: name("0") }],
      followerCount: [name("ada")],
      page: [name("eve"), { limit: 5, cursor: name("1.0123456789abcdef"), grouped: true }],
      outbox: [name("ada"), { limit: 5, cursor: name("1.0123456789abcdef") }],
      unseen: [name("eve")],
      markSeen: [name("eve"), name("1.0123456789abcdef")],
      markRead: [name("eve"), name(["1.0123456789abcdef"])],
      live: [name("eve"), { after: name("1.0123456789abcdef"), signal: AbortSignal.abort() }],
      work: [{ concurrency: 1 }],
    },
    geofence: {
      set: [n, { center: { ...point }, meters: 5 }],
      get: [n],
      containing: [point],
      track: [n, point, { at: Date.now() }],
      inside: [n],
      ids: [],
      forget: [n],
      remove: [n],
      subscribe: [() => undefined, { onGap: () => undefined }],
    },
    geo: {
      add: [n, point, { fields: { kind: name("taxi") } }],
      addMany: [[["a", point]]],
      get: [n],
      position: [n],
      positions: [name(["a"])],
      nearest: [{ ...point }, { count: 1, maxMeters: 10, where: { kind: name("taxi") }, fields: true }],
      radius: [{ member: n }, { meters: 5, limit: 1, where: { kind: name("taxi") }, fields: true }],
      box: [{ ...point }, { widthMeters: 5, heightMeters: 5, limit: 1, where: { kind: name("taxi") }, fields: true }],
      polygon: [
        [point, { lon: 2, lat: 2 }, { lon: 3, lat: 2 }],
        { center: { ...point }, limit: 1, where: { kind: name("taxi") }, fields: true },
      ],
      page: [
        { center: { ...point }, meters: 5 },
        { limit: 1, where: { kind: name("taxi") }, fields: true },
      ],
      distance: [n, n],
      remove: [n],
      size: [],
    },
    sessions: {
      create: [{ user: name("ada"), data: { x: 1 }, device: "phone" }],
      get: [id],
      patch: [id, { x: 1 }, { version: 1 }],
      update: [id, (data: object) => data, { initial: { x: 1 } }],
      rotate: [id, { user: name("ada"), data: (data: object) => data, grace: "1s" }],
      destroy: [id],
      list: [name("ada")],
      revoke: [name("ada"), "handle"],
      revokeAll: [name("ada"), { except: id }],
      stats: [],
    },
    leaderboard: {
      set: [n, 1, { subscore: 1, meta: 1 }],
      setMany: [[["a", 1, { subscore: 1 }]]],
      increment: [n, 1, { idempotencyKey: name("x"), subscore: 1, meta: 1 }],
      best: [n, 1, { subscore: 1, meta: 1 }],
      rank: [n],
      ranks: [name(["a"])],
      scores: [name(["a"])],
      among: [name(["a"])],
      top: [1],
      page: [{ offset: 0, limit: 1, min: 1, max: 2 }],
      around: [n, 1],
      count: [{ min: 1, max: 2 }],
      scoreAt: [50],
      remove: [n],
      removeRange: [{ from: 5, to: 6 }],
      size: [],
      clear: [],
      window: [name("day"), { ago: 1 }],
      onClosed: [
        () => undefined,
        { lease: "9s", retry: "1s", poll: "1s", signal: AbortSignal.abort(), onError: () => undefined },
      ],
    },
    "leaderboard.window": {
      rank: [n],
      ranks: [name(["a"])],
      scores: [name(["a"])],
      among: [name(["a"])],
      top: [1],
      page: [{ offset: 0, limit: 1, min: 1, max: 2 }],
      around: [n, 1],
      count: [{ min: 1, max: 2 }],
      scoreAt: [50],
      size: [],
      period: [],
      archive: [],
    },
    tags: {
      add: [n, name(["t"]), { ttl: "1m" }],
      set: [n, name(["t"]), { ttl: "1m" }],
      remove: [n, name(["t"])],
      of: [n],
      find: [{ any: name(["t"]), all: name(["t"]), not: name(["u"]), limit: 5, cursor: undefined }],
      items: [{ any: name(["t"]), all: name(["t"]), not: name(["u"]) }],
      count: [name("t")],
      counts: [],
      clear: [],
    },
    queue: {
      add: [
        1,
        {
          id: name(jobId),
          delay: "1h",
          priority: "high",
          unique: { key: name("k"), for: "1m" },
          attempts: 2,
          trace: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=b" },
        },
      ],
      addMany: [[1], { at: 1, priority: "low", attempts: 2, result: true }],
      work: [
        () => undefined,
        {
          concurrency: 1,
          lease: "9s",
          poll: "1s",
          drain: 10,
          onDead: () => undefined,
          limiter: {
            use: { consume: async () => ({ allowed: true, retryAfterMs: 0 }) },
            id: name("l"),
            cost: 1,
            scope: "queue",
          },
        },
      ],
      use: [{ add: (_: unknown, next: () => unknown) => next(), run: (_: unknown, next: () => unknown) => next() }],
      with: [() => undefined, { weight: 2, aliases: {} }],
      workMany: [() => undefined, { size: 5, linger: 10, concurrency: 1, oneGroup: true, lease: "9s", drain: 10 }],
      claim: [{ count: 1, lease: "5s", names: name(["a"]), wait: 1, signal, consumer: name("gateway") }],
      held: [name(token)],
      result: [name(jobId), { timeout: 1, signal }],
      get: [name(jobId)],
      logs: [name(jobId)],
      cancel: [name(jobId), name("no longer wanted")],
      update: [name(jobId), { payload: 1, delay: "1h", priority: "low", group: name("g") }],
      promote: [name(jobId)],
      retry: [name(jobId)],
      remove: [name(jobId)],
      page: [{ state: "waiting", name: name("n"), cursor: undefined, limit: 5 }],
      entries: [{ state: "waiting" }],
      where: [
        { state: "waiting", tag: name("t"), name: name("n"), group: name("g"), olderThan: "1m", failure: name("f") },
      ],
      drain: [],
      clean: [{ state: "waiting", olderThan: "1m", limit: 5 }],
      obliterate: [{ force: true }],
      child: [
        1,
        { key: name("a"), delay: 1, priority: "low", attempts: 2, result: true, children: [], onDead: "fail" },
      ],
      signal: [name(jobId), name("approved"), 1],
      batch: [{ id: name("b"), onComplete: 1, onSuccess: 1, onDead: 1 }],
      pause: [],
      resume: [],
      counts: [],
      key: [n],
      newId: [name("g")],
      encode: [1],
      decode: [Buffer.from("{}")],
      overview: [],
      stats: [{ from: 1, to: 1, every: "1m" }],
      events: [{ from: name("start"), poll: "1s", signal: AbortSignal.abort() }],
    },
    "held job": {
      extend: ["5s"],
      progress: [0.5],
      log: [name("a line")],
      release: [{ delay: 5 }],
      fail: [name("no")],
      complete: [1],
    },
    "queue.where": {
      entries: [],
      cancel: [name("no longer wanted"), { dryRun: true, limit: 5 }],
      retry: [{ dryRun: true, limit: 5 }],
      remove: [{ dryRun: true, limit: 5 }],
    },
    "queue.limits": { set: [{ concurrency: 5, rate: { limit: 5, per: "1s" } }], get: [], clear: [] },
    "queue.groups": {
      set: [
        n,
        { weight: 2, concurrency: 5, rate: { limit: 5, per: "1s" }, maxWaiting: 5, order: "loose", onDead: "skip" },
      ],
      get: [n],
      remove: [n],
      pause: [n],
      resume: [n],
      page: [{ cursor: undefined, limit: 1 }],
    },
    "queue.batch": { add: [[]] },
    "queue.flows": { get: [name(jobId)], retry: [name(jobId)], cancel: [name(jobId), name("why")] },
    "queue.schedules": {
      set: [n, { every: "1h", payload: 1 }],
      get: [n],
      list: [{ cursor: name("a"), limit: 1 }],
      remove: [n],
      pause: [n],
      resume: [n],
      runNow: [n],
      sync: [name("me"), { nightly: { every: "1h", payload: 1 } }],
      run: [{ poll: "1s" }],
    },
    "queue.dead": { page: [{ cursor: undefined, limit: 1 }], redrive: [name([jobId])], redriveAll: [] },
    stream: {
      start: [],
      pipe: [[1]],
      read: [{ from: "start", wait: 1, signal: AbortSignal.abort() }],
      values: [{ from: "start", wait: 1, signal: AbortSignal.abort() }],
    },
    "stream writer": { write: [1], end: [], abort: [name("why")] },
    channel: {
      publish: [1],
      subscribers: [],
      subscribe: [() => undefined, { ...subscribing, concurrency: 1, closeTimeout: 10, threads: undefined }],
      messages: [{ ...subscribing }],
      request: [1, { timeout: "9s", signal, group: name("g") }],
      requestAll: [1, { timeout: "9s", signal }],
      respond: [
        () => 1,
        {
          group: name("g"),
          concurrency: 1,
          capacity: 10,
          lease: "9s",
          closeTimeout: 10,
          threads: undefined,
          onError: () => undefined,
          signal,
        },
      ],
    },
    topic: {
      publish: [1, { key: name("k"), headers: {}, id: name("i"), delay: "1s", ttl: "1m" }],
      publishMany: [[{ message: 1, key: name("k") }]],
      page: [
        { before: undefined, after: "1.0.1.1", limit: 5, key: name("k"), filter: () => true, onError: () => undefined },
      ],
      info: [],
      subscribe: [
        name("s"),
        () => undefined,
        {
          kind: "shared",
          start: "end",
          concurrency: 1,
          rate: { limit: 5, per: 10 },
          maxDeliveries: 2,
          backoff: { type: "fixed", delay: 10 },
          drain: 10,
          expires: "1h",
          visibility: "9s",
          prefetch: 1,
          poll: "1s",
          filter: () => true,
          onGap: () => undefined,
          onError: () => undefined,
        },
      ],
      subscribeMany: [
        name("o"),
        () => undefined,
        {
          kind: "ordered",
          transactional: true,
          maxNames: 10,
          onExhausted: "dead",
          id: name("me"),
          lease: "9s",
          window: 10,
          size: 5,
          linger: 10,
        },
      ],
      dead: [name("s")],
      state: [name("s")],
      messages: [
        { from: "now", key: name("k"), filter: () => true, onGap: () => undefined, onError: () => undefined, signal },
      ],
    },
    "topic.subscriptions": {
      list: [],
      lag: [name("s")],
      seek: [name("s"), "end", { state: "keep" }],
      remove: [name("s")],
    },
    "topic.dead": {
      count: [],
      page: [{ cursor: undefined, limit: 1 }],
      redrive: [{ where: () => true, limit: 1, rate: 1 }],
      remove: [name(["0.a.1"])],
    },
    "topic.state": {
      get: [name("n"), { key: name("k"), partition: 0 }],
      sum: [name("n")],
      page: [{ cursor: undefined, limit: 1 }],
    },
    channels: {
      subscribe: [() => undefined, { ...subscribing, concurrency: 1, closeTimeout: 10, threads: undefined }],
      messages: [{ ...subscribing }],
    },
    lock: {
      acquire: [{ wait: 10, signal }],
      tryAcquire: [],
      run: [() => 1, { wait: 10, signal }],
      info: [],
      resume: ["1.00000000-0000-4000-8000-000000000000"],
      forceRelease: [],
    },
    locks: { list: [{ cursor: undefined, limit: 5 }] },
    "held lock": { extend: ["1s"], release: [] },
    "lock set": { acquire: [{ wait: 10, signal }], tryAcquire: [], run: [() => 1, { wait: 10, signal }] },
    "held lock set": { extend: ["1s"], release: [] },
    semaphore: {
      acquire: [{ permits: 1, wait: 10, signal }],
      tryAcquire: [{ permits: 1 }],
      run: [() => 1, { permits: 1, wait: 10, signal }],
      info: [{ holders: 1 }],
      resize: [5],
      reset: [],
    },
    "held permits": { extend: ["1s"], release: [] },
    rwlock: { info: [] },
    "rwlock.read": { acquire: [{ wait: 10, signal }], tryAcquire: [], run: [() => 1, { wait: 10, signal }] },
    "rwlock.write": { acquire: [{ wait: 10, signal }], tryAcquire: [], run: [() => 1, { wait: 10, signal }] },
    "rwlock.upgradable": { acquire: [{ wait: 10, signal }], tryAcquire: [], run: [() => 1, { wait: 10, signal }] },
    "held read lock": { extend: ["1s"], release: [] },
    "held write lock": { downgrade: [], extend: ["1s"], release: [] },
    "held upgradable lock": { upgrade: [{ wait: 10, signal }], extend: ["1s"], release: [] },
    fenced: { set: [n, 1, 5], get: [n] },
    idempotency: {
      run: [n, () => 1, { fingerprint: "f", wait: 10, signal }],
      tryRun: [n, () => 1, { fingerprint: "f", wait: 10, signal }],
      get: [n],
      forget: [n],
    },
    election: {
      campaign: [{ value: 1, wait: 10, signal }],
      lead: [() => undefined, { value: 1, closeTimeout: 10, onError: () => undefined }],
      leader: [],
      candidates: [],
      observe: [{ signal: AbortSignal.abort() }],
    },
    leadership: { resign: [{ to: name("b") }], proclaim: [1] },
    hf: {
      cached: [() => 1, { name: name("f"), key: () => "a", ttl: "1m", timeout: "9s" }],
      work: [[handling], { concurrency: 1, order: "strict", lease: "9s", poll: "1s", drain: 10 }],
      transaction: [name(["a"]), () => 1, { attempts: 2, timeout: "9s", signal }],
      command: [name("SET"), name("own"), "1"],
      key: [n, n],
      scan: [name("x"), { count: 10, signal }],
      ping: [],
      onState: [() => undefined],
    },
  };
  return {
    ...table,
    "topic.latest": {
      ...table["topic"],
      publish: [1, { key: n, headers: {}, id: name("i") }],
      set: [n, 1, { headers: {}, id: name("i"), ifNew: undefined, ifPosition: "1.0.1.1" }],
      delete: [n, { headers: {}, id: name("i"), ifPosition: "1.0.1.1" }],
      get: [n],
      getMany: [name(["a"])],
      count: [],
      follow: [{ from: "snapshot", filter: () => true, onError: () => undefined, signal }],
    },
  };
}

export interface PublicCall {
  /** `cache.set`, or the factory's name. */
  readonly name: string;
  /** As errors name what it belongs to; undefined for the handle's own. */
  readonly where: string | undefined;
  readonly args: readonly unknown[];
  readonly invoke: (args: readonly unknown[]) => unknown;
}

/** All of them. @throws Error for a public method that has no arguments here */
export async function publicCalls(hf: Holdfast): Promise<PublicCall[]> {
  const own = randomName();
  const created = await hf.sessions(own).create({ user: own, data: { x: 1 } });
  const id = created.status === "ok" ? created.id : "";
  const job = await hf.queue(own).add(1, { delay: "1h", result: true });
  await hf.queue(`${own}-held`).add(1);
  const [claimed] = await hf.queue(`${own}-held`).claim();
  const held = await hf.lock(`${own}-held`).acquire();
  const [reading, writing] = [hf.rwlock(`${own}-read`), hf.rwlock(`${own}-written`)];
  const heldSet = await hf.lock([`${own}-held-a`, `${own}-held-b`]).acquire();
  const permits = await hf.semaphore(`${own}-held`, { permits: 1 }).acquire();
  const pass = await hf.barrier(`${own}-held`, { parties: 1 }).enter();
  const membership = await hf.presence(`${own}-held`).join("a");
  const started = await hf.stream(`${own}-held`).start();
  const leadership = await hf.election(`${own}-held`).campaign();
  const written = hf.cache(`${own}-written`, { writer: { mode: "behind", write: () => undefined } });
  const instances: Record<string, [object, string | undefined]> = {
    "counter.window": [hf.counter(own, { windows: ["hour"] }).window("hour"), `counter "${own}"`],
    "sharded counter": [hf.counter(own, { shards: 2 }), `counter "${own}"`],
    "leaderboard.window": [hf.leaderboard(own, { windows: ["day"] }).window("day"), `leaderboard "${own}"`],
    "cache.writer": [written.writer, `cache "${own}-written"`],
    "cache.writer.dead": [written.writer.dead, `cache "${own}-written"`],
    "topic.latest": [hf.topic(`${own}-latest`, { latest: true }), `topic "${own}-latest"`],
    "flags.client": [hf.flags(own).client(), `flags "${own}"`],
    "topic.subscriptions": [hf.topic(own).subscriptions, `topic "${own}"`],
    "topic.dead": [hf.topic(own).dead("s"), `topic "${own}"`],
    "topic.state": [hf.topic(own).state("s"), `topic "${own}"`],
    "queue.dead": [hf.queue(own).dead, `queue "${own}"`],
    "queue.schedules": [hf.queue(own).schedules, `queue "${own}"`],
    "queue.where": [hf.queue(own).where({ state: "dead" }), `queue "${own}"`],
    "queue.limits": [hf.queue(own).limits, `queue "${own}"`],
    "queue.groups": [hf.queue(own).groups, `queue "${own}"`],
    "queue.flows": [hf.queue(own).flows, `queue "${own}"`],
    "queue.batch": [hf.queue(own).batch({ onComplete: 1 }), `queue "${own}"`],
    "held job": [claimed!, `queue "${own}-held"`],
    locks: [hf.locks, "locks"],
    "held lock": [held, `lock "${own}-held"`],
    "rwlock.read": [hf.rwlock(own).read, `rwlock "${own}"`],
    "rwlock.write": [hf.rwlock(own).write, `rwlock "${own}"`],
    "rwlock.upgradable": [hf.rwlock(own).upgradable, `rwlock "${own}"`],
    "held read lock": [await reading.read.acquire(), `rwlock "${own}-read"`],
    "held write lock": [await writing.write.acquire(), `rwlock "${own}-written"`],
    "held upgradable lock": [await reading.upgradable.acquire(), `rwlock "${own}-read"`],
    "lock set": [hf.lock([`${own}-a`, `${own}-b`]), `lock "${own}-a, ${own}-b"`],
    "held lock set": [heldSet, `lock "${own}-held-a"`],
    "held permits": [permits, `semaphore "${own}-held"`],
    "barrier pass": [pass, `barrier "${own}-held"`],
    "presence membership": [membership, `presence "${own}-held"`],
    "stream writer": [started.status === "ok" ? started.writer : {}, `stream "${own}-held"`],
    leadership: [leadership, `election "${own}-held"`],
    hf: [hf, undefined],
  };
  for (const factory of Object.keys(FACTORIES)) {
    const given = NEEDED[factory];
    const noun = factory === "channels" ? "channel" : factory;
    instances[factory] = [make(hf, factory, [own, given]) as object, `${noun} "${own}"`];
  }
  const handling = hf.queue(own).with(() => undefined);
  const table = methods(id, job.id, claimed!.token, handling);
  const calls = Object.entries(instances).flatMap(([instance, [target, where]]) =>
    methodsOf(target)
      .filter((method) => instance !== "hf" || !Object.hasOwn(FACTORIES, method))
      .map((method): PublicCall => {
        const args = table[instance]?.[method];
        if (args === undefined) throw new Error(`${instance}.${method} is not in the table of public calls`);
        const invoke = (given: readonly unknown[]): unknown =>
          Reflect.apply(Reflect.get(target, method), target, given);
        return { name: `${instance}.${method}`, where, args, invoke };
      }),
  );
  const factories = Object.entries(FACTORIES).map(([factory, options]): PublicCall => {
    const where = `${factory === "channels" ? "channel" : factory} "${own}"`;
    return { name: factory, where, args: [name(own), options], invoke: (given) => make(hf, factory, given) };
  });
  return [...factories, ...calls];
}

/** The arguments as the call takes them. */
export function plain(arg: unknown): unknown {
  if (arg instanceof Name) return plain(arg.text);
  if (!isPlain(arg)) return arg;
  return Object.fromEntries(Object.entries(arg).map(([field, value]) => [field, plain(value)]));
}

/** An object whose fields are arguments too. */
export function isPlain(arg: unknown): arg is Record<string, unknown> {
  return typeof arg === "object" && arg !== null && Object.getPrototypeOf(arg) === Object.prototype && arg !== anything;
}

/** Runs it to its end, and closes what it opens. */
export async function toItsEnd(invoke: () => unknown): Promise<void> {
  const result = await invoke();
  if (typeof result !== "object" || result === null) return;
  if (Symbol.asyncIterator in result && !("ready" in result))
    for await (const _ of result as AsyncIterable<unknown>) break;
  if (typeof Reflect.get(result, "close") === "function") await (result as { close(): Promise<void> }).close();
  if ("ready" in result) await result.ready;
  const held = (
    "lock" in result ? result.lock : "locks" in result ? result.locks : "permit" in result ? result.permit : result
  ) as object;
  if (typeof Reflect.get(held, "release") === "function") await (held as HeldLock).release();
  if (typeof Reflect.get(held, "leave") === "function") await (held as BarrierPass).leave();
  if (typeof Reflect.get(held, "resign") === "function") await (held as Leadership<unknown>).resign();
}

function make(hf: Holdfast, factory: string, args: readonly unknown[]): unknown {
  return Reflect.apply(Reflect.get(hf, factory) as () => unknown, hf, args);
}

function methodsOf(target: object): string[] {
  const proto = Object.getPrototypeOf(target) as object;
  if (proto === Object.prototype) return [];
  const described = Object.entries(Object.getOwnPropertyDescriptors(proto));
  const own = described.filter(([, { value }]) => typeof value === "function").map(([method]) => method);
  return [...own.filter((method) => method !== "constructor" && method !== "close"), ...methodsOf(proto)];
}
