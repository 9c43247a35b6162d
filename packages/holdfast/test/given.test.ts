/**
 * What counts as given, for every option of every public call: what is undefined does not, and what is not understood is refused.
 *
 * What could go wrong, and the test for each:
 * - an option that is undefined is taken for one that was given ...... "an option that is undefined is one that is not given"
 * - it takes the place of the handle's, and values are not encrypted ... "what is stored is encrypted, ..."
 * - an option that is not understood is ignored ...................... "an option of another name is refused"
 */
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, FinalError, type Holdfast, HoldfastError } from "../src/index.ts";
import { backends } from "./support/backends.ts";
import { FACTORIES, isPlain, plain, type PublicCall, publicCalls, toItsEnd } from "./support/surface.ts";
import { until } from "./support/until.ts";
import { randomName } from "./support/two-handles.ts";

type Options = Record<string, unknown>;

/** Objects of a user's own: their fields are not options. */
const OF_USERS =
  /^(records\.(set|patch|merge)\.1|feed\.publish\.1|records\.1\.(defaults|fieldTtl)|(records|sessions)\.update\.2\.initial|geo\.\w+\.[01]|geo\.add\.2\.fields|geofence\.(containing\.0|track\.1|set\.1\.center)|sessions\.create\.0\.data|sessions\.patch\.1|queue\.schedules\.sync\.1|queue\.work\.1\.limiter\.use)$|\.keys$/;
/** Without them the call waits for half a minute. */
const WAITS = new Set(["queue.result.1.timeout", "latch.wait.0.timeout"]);
const STRANGE = "xyzzy";

interface Place {
  /** `cache.set.2.ttl`. */
  readonly path: string;
  readonly field: string;
  /** The arguments with the options there changed. */
  readonly with: (change: (options: Options) => Options) => unknown[];
}

/** Every field of every object among the arguments. */
function places({ name, args }: PublicCall): Place[] {
  return args.flatMap((arg, at) =>
    within(`${name}.${at}`, arg, (changed) => args.map((each, place) => (place === at ? changed : plain(each)))),
  );
}

function within(path: string, arg: unknown, put: (changed: unknown) => unknown[]): Place[] {
  if (!isPlain(arg) || OF_USERS.test(path)) return [];
  const all = plain(arg) as Options;
  return Object.entries(arg).flatMap(([field, value]) => {
    const here: Place = { path: `${path}.${field}`, field, with: (change) => put(change(all)) };
    return [here, ...within(here.path, value, (changed) => put({ ...all, [field]: changed }))];
  });
}

const without = (all: Options, field: string): Options =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name !== field));

async function outcomeOf(invoke: () => unknown): Promise<string> {
  try {
    await toItsEnd(invoke);
    return "ok";
  } catch (error) {
    return error instanceof HoldfastError ? `${error.code}: ${error.message}` : `not ours: ${String(error)}`;
  }
}

const SECRET = "pl4nted-s3cret";
const encrypt = { keys: { k: "11".repeat(32) }, current: "k" };

/** By factory: what stores or sends a value. */
const WRITES: Record<string, (hf: Holdfast, name: string, given: object) => Promise<unknown>> = {
  cache: async (hf, name, given) => {
    const cache = hf.cache<string>(name, given);
    await cache.set("a", SECRET);
    await cache.getOrSet("b", () => SECRET);
    const late = new Promise<never>(() => undefined);
    const behind = hf.cache<string>(`${name}-behind`, {
      ...given,
      writer: { mode: "behind", write: () => late, drainTimeout: 0 },
    });
    await behind.write("c", SECRET);
  },
  idempotency: async (hf, name, given) => {
    const keys = hf.idempotency<string>(name, given);
    await keys.run("a", () => SECRET, { fingerprint: SECRET });
    const refusal = new FinalError(SECRET, { code: SECRET, data: SECRET });
    await keys.run("b", () => Promise.reject(refusal)).catch(() => undefined);
  },
  records: (hf, name, given) => hf.records<{ x: string }>(name, given).set("a", { x: SECRET }),
  sessions: (hf, name, given) =>
    hf.sessions<{ x: string }, string>(name, given).create({ user: "ada", data: { x: SECRET }, device: SECRET }),
  value: (hf, name, given) => hf.value<string>(name, given).set(SECRET),
  presence: async (hf, name, given) => {
    const room = hf.presence<string>(name, given);
    await using _watch = room.watch();
    await room.join("ada", { meta: SECRET });
  },
  queue: async (hf, name, given) => {
    const queue = hf.queue<string, string>(name, given);
    await queue.add(SECRET, { delay: "1h" });
    const job = await queue.add("done", { result: true });
    await using _worker = queue.work(async (each) => {
      await each.progress(SECRET);
      return each.step("a", () => SECRET);
    });
    await job.result();
  },
  feed: (hf, name, given) => hf.feed<string>(name, given).publish("ada", SECRET, { to: ["eve"] }),
  topic: async (hf, name, given) => {
    const topic = hf.topic<string>(name, given);
    await topic.publish(SECRET);
    await using _consumer = topic.subscribe("s", (_message, { reject }) => reject(SECRET), {
      kind: "shared",
      start: "start",
    });
    await until("it is dead", async () => (await topic.dead("s").count()) === 1);
  },
  stream: async (hf, name, given) => {
    const started = await hf.stream<string>(name, given).start();
    if (started.status !== "ok") throw new Error(started.status);
    await started.writer.write(SECRET);
    await started.writer.abort(SECRET);
  },
  channel: (hf, name, given) => hf.channel<string>(name, given).publish(SECRET),
  // It only receives.
  channels: () => Promise.resolve(),
  fenced: (hf, name, given) => hf.fenced<string>(name, given).set("a", SECRET, 1),
  election: async (hf, name, given) => {
    await using leadership = await hf.election<string>(name, given).campaign({ value: SECRET });
    await leadership.proclaim(SECRET);
  },
};

/** Everything under the handle's prefix, as text. */
async function stored(hf: Holdfast): Promise<string> {
  const READERS: Record<string, (key: string) => string[]> = {
    string: (key) => ["GET", key],
    hash: (key) => ["HGETALL", key],
    list: (key) => ["LRANGE", key, "0", "-1"],
    set: (key) => ["SMEMBERS", key],
    zset: (key) => ["ZRANGE", key, "0", "-1"],
    stream: (key) => ["XRANGE", key, "-", "+"],
  };
  let text = "";
  const send = (args: string[]) => hf.driver.send(args, { op: "test", class: "read" }, args[1]);
  for await (const page of hf.scan())
    for (const key of page)
      text += inspect(await send(READERS[String(await send(["TYPE", key]))]!(key)).then(texts), {
        depth: Infinity,
        maxStringLength: Infinity,
      });
  return text;
}

const texts = (reply: unknown): unknown =>
  Buffer.isBuffer(reply) ? reply.toString("latin1") : Array.isArray(reply) ? reply.map(texts) : reply;

describe.each(backends("embedded"))("every option, which no server decides about [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let calls: PublicCall[];
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: randomName() });
    calls = await publicCalls(hf);
  });
  afterAll(() => hf?.close());

  it("an option that is undefined is one that is not given", async () => {
    const faults: string[] = [];
    for (const call of calls) {
      for (const { path, field, with: changed } of places(call)) {
        if (WAITS.has(path)) continue;
        const left = await outcomeOf(() => call.invoke(changed((all) => without(all, field))));
        const given = await outcomeOf(() => call.invoke(changed((all) => ({ ...all, [field]: undefined }))));
        if (given !== left) faults.push(`${path}: ${left} | ${given}`);
      }
    }
    expect(faults).toEqual([]);
  }, 300_000);

  it("what is stored and sent is encrypted where the handle says so, though every option is undefined", async () => {
    const prefix = randomName();
    await using encrypting = await connect(url, { ...options, prefix, encrypt });
    await using plainly = await connect(url, { ...options, prefix });
    const encoded = Object.keys(FACTORIES).filter((factory) => Object.hasOwn(FACTORIES[factory] as object, "encrypt"));
    expect(Object.keys(WRITES).toSorted()).toEqual(encoded.toSorted());
    const heard: string[] = [];
    const message = (payload: Buffer): void => void heard.push(payload.toString("latin1"));
    const call = { op: "test", class: "read" } as const;
    await plainly.driver.subscribe("pattern", `${prefix}:channel:*`, { message, gap: () => undefined }, call);
    for (const [factory, write] of Object.entries(WRITES)) {
      const given = Object.fromEntries(Object.keys(FACTORIES[factory] as object).map((field) => [field, undefined]));
      await write(encrypting, factory, given);
    }
    const all = await stored(plainly);
    expect(all.length).toBeGreaterThan(1_000);
    expect(all.includes(SECRET)).toBe(false);
    await until("the message is heard", () => heard.length > 0);
    expect(heard.join(" ")).not.toContain(SECRET);
  });

  it("an option of another name is refused", async () => {
    const faults: string[] = [];
    for (const call of calls) {
      for (const { path, with: changed } of places(call)) {
        const outcome = await outcomeOf(() => call.invoke(changed((all) => ({ ...all, [STRANGE]: 1 }))));
        // What is among the keys is not shown: it may be one.
        const isNamed = outcome.includes(STRANGE) || path.includes(".encrypt.");
        if (!outcome.startsWith("INVALID_ARGUMENT") || !isNamed) faults.push(`${path}: ${outcome}`);
      }
    }
    expect(faults).toEqual([]);
  }, 300_000);
});
