/** Every public call of every primitive with arguments that it takes: for tests of what holds for all of them. Longer than other files because of the table. */
import type { HeldLock, Holdfast, QueueHandling } from "../../src/index.ts";
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

/** The factories' options, all of them. */
const FACTORIES: Record<string, unknown> = {
  cache: {
    ...codec,
    schema: anything,
    ttl: "1m",
    jitter: 0.1,
    negativeTtl: "1s",
    grace: "1m",
    softTimeout: "1s",
    graceBackoff: "1s",
    refreshAhead: 0.8,
    maxLoads: 5,
    loadTimeout: "1s",
    loadLease: "1s",
    timeout: "9s",
    onOutage: "load",
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
  counter: { ttl: "1m", min: -5, max: 5, idempotencyTtl: "1m", timeout: "9s" },
  records: { ...codec, schema: anything, ttl: "1m", attempts: 5, timeout: "9s" },
  geo: { ttl: "1m", timeout: "9s" },
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
  leaderboard: { order: "desc", ties: "dense", maxSize: 50, ttl: "1m", idempotencyTtl: "1m", timeout: "9s" },
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
    durability: { replicas: 0, aof: false, timeout: "1s" },
    runTimeout: "1m",
    resultTtl: "1m",
    timeout: "9s",
  },
  channel: { ...codec, schema: anything, sharded: false, timeout: "9s" },
  channels: { ...codec, schema: anything, timeout: "9s" },
  lock: { ttl: "1m", renew: true, maxHold: "1m", owner: name("me"), timeout: "9s" },
  fenced: { ...codec, schema: anything, ttl: "1m" },
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
  return {
    cache: {
      get: [n],
      getMany: [name(["a"])],
      getOrSet: [name("b"), () => 1, { ttl: "1m", tags: ["t"], refresh: false, signal }],
      getOrSetMany: [name(["b"]), () => new Map(), { ttl: "1m", signal }],
      set: [n, 1, { ttl: "1m", tags: ["t"] }],
      has: [n],
      take: [n],
      touch: [n, { ttl: "1m" }],
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
    },
    records: {
      get: [n, name(["x"])],
      getMany: [name(["a"]), name(["x"])],
      has: [n],
      set: [n, { x: 1 }, { version: 1 }],
      patch: [n, { x: 1 }, { version: 1 }],
      increment: [n, name("x"), 1],
      update: [n, (value: object) => value, { initial: { x: 1 } }],
      delete: [n],
    },
    geo: {
      add: [n, point],
      addMany: [[["a", point]]],
      position: [n],
      positions: [name(["a"])],
      nearest: [{ ...point }, { count: 1, maxMeters: 10 }],
      radius: [{ member: n }, { meters: 5, limit: 1 }],
      box: [{ ...point }, { widthMeters: 5, heightMeters: 5, limit: 1 }],
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
      set: [n, 1],
      setMany: [[["a", 1]]],
      increment: [n, 1, { idempotencyKey: name("x") }],
      best: [n, 1],
      rank: [n],
      ranks: [name(["a"])],
      scores: [name(["a"])],
      top: [1],
      page: [{ offset: 0, limit: 1 }],
      around: [n, 1],
      remove: [n],
      size: [],
      clear: [],
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
      events: [{ from: name("a"), poll: "1s", signal: AbortSignal.abort() }],
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
        { weight: 2, concurrency: 5, rate: { limit: 5, per: "1s" }, maxWaiting: 5, order: "strict", onDead: "skip" },
      ],
      get: [n],
      remove: [n],
      pause: [n],
      resume: [n],
      page: [{ cursor: name("a"), limit: 1 }],
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
    "queue.dead": { page: [{ cursor: "0", limit: 1 }], redrive: [name([jobId])], redriveAll: [] },
    channel: {
      publish: [1],
      subscribe: [() => undefined, { ...subscribing, concurrency: 1, closeTimeout: 10 }],
      messages: [{ ...subscribing }],
    },
    channels: {
      subscribe: [() => undefined, { ...subscribing, concurrency: 1, closeTimeout: 10 }],
      messages: [{ ...subscribing }],
    },
    lock: { acquire: [{ wait: 10, signal }], tryAcquire: [], run: [() => 1, { wait: 10, signal }], info: [] },
    "held lock": { extend: ["1s"], release: [] },
    fenced: { set: [n, 1, 5], get: [n] },
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
  const written = hf.cache(`${own}-written`, { writer: { mode: "behind", write: () => undefined } });
  const instances: Record<string, [object, string | undefined]> = {
    "cache.writer": [written.writer, `cache "${own}-written"`],
    "cache.writer.dead": [written.writer.dead, `cache "${own}-written"`],
    "queue.dead": [hf.queue(own).dead, `queue "${own}"`],
    "queue.schedules": [hf.queue(own).schedules, `queue "${own}"`],
    "queue.where": [hf.queue(own).where({ state: "dead" }), `queue "${own}"`],
    "queue.limits": [hf.queue(own).limits, `queue "${own}"`],
    "queue.groups": [hf.queue(own).groups, `queue "${own}"`],
    "queue.flows": [hf.queue(own).flows, `queue "${own}"`],
    "queue.batch": [hf.queue(own).batch({ onComplete: 1 }), `queue "${own}"`],
    "held job": [claimed!, `queue "${own}-held"`],
    "held lock": [held, `lock "${own}-held"`],
    hf: [hf, undefined],
  };
  for (const factory of Object.keys(FACTORIES)) {
    const given = factory === "limiter" ? { limit: 5, window: "1m" } : undefined;
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
  if (typeof Reflect.get(result, "release") === "function") await (result as HeldLock).release();
}

function make(hf: Holdfast, factory: string, args: readonly unknown[]): unknown {
  return Reflect.apply(Reflect.get(hf, factory) as () => unknown, hf, args);
}

function methodsOf(target: object): string[] {
  const described = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(target)));
  const own = described.filter(([, { value }]) => typeof value === "function").map(([method]) => method);
  return own.filter((method) => method !== "constructor" && method !== "close");
}
