/**
 * A million waiting and a million delayed jobs: no script may hold the server for 5 ms, and a job may cost it no more than three times what it costs
 * in a small queue. The slow log counts a script's time on the wall: on a busy machine it holds what was pushed off its core too.
 */
import { constants, setPriority } from "node:os";
import { connect, type Holdfast } from "holdfast";
import { type Standalone, startStandalone, until } from "../../../packages/holdfast/test/support/servers.ts";
import type { Report } from "../suite.ts";

const MILLION = 1_000_000;
const SMALL = 20_000;
const CHUNK = 20_000;
const SLOW_US = 5_000;
const MOST_TIMES = 3;
/** What is worked off, of the many. */
const SOME = 20_000;
const PAYLOAD = "x".repeat(100);

interface Measures {
  /** Microseconds of the server per job. */
  readonly addUs: number;
  readonly runUs: number;
  readonly bytes: number;
}

export async function scale(log: (line: string) => void): Promise<Report> {
  await using server = await startStandalone({
    config: { "slowlog-log-slower-than": String(SLOW_US), "slowlog-max-len": "1000" },
  });
  try {
    // Where that is allowed, nothing pushes the server off its core.
    setPriority(server.pid, constants.priority.PRIORITY_HIGHEST);
  } catch {
    log("the server's priority is that of others");
  }
  await using hf = await connect(server.url);
  const startedAt = performance.now();
  const one = new Scale(server, hf, log);
  const small = await one.waiting("small", SMALL);
  const waiting = await one.waiting("waiting", MILLION);
  const smallDelayed = await one.delayed("small-delayed", SMALL);
  const delayed = await one.delayed("delayed", MILLION);
  await one.others("waiting");
  const slow = await one.slow();
  const ratios = {
    add: waiting.addUs / small.addUs,
    run: waiting.runUs / small.runUs,
    addDelayed: delayed.addUs / smallDelayed.addUs,
    runDelayed: delayed.runUs / smallDelayed.runUs,
  };
  const broken = Object.entries(ratios)
    .filter(([, ratio]) => ratio > MOST_TIMES)
    .map(([what, ratio]) => `${what}: ${ratio.toFixed(1)} times the cost in a small queue`);
  broken.push(...slow.slice(0, 5));
  return {
    scenario: "scale",
    seconds: Math.round((performance.now() - startedAt) / 1_000),
    small,
    waiting,
    smallDelayed,
    delayed,
    ratios,
    calls: one.calls,
    slow: slow.length,
    broken,
    ok: broken.length === 0,
  };
}

class Scale {
  readonly #server: Standalone;
  readonly #hf: Holdfast;
  readonly #log: (line: string) => void;
  /** Microseconds of the server for one call each, with a million jobs there. */
  readonly calls: Record<string, number> = {};

  constructor(server: Standalone, hf: Holdfast, log: (line: string) => void) {
    this.#server = server;
    this.#hf = hf;
    this.#log = log;
  }

  async waiting(name: string, count: number): Promise<Measures> {
    const queue = this.#hf.queue<string>(name);
    return this.#measure(name, count, (payloads) => queue.addMany(payloads));
  }

  /** All of them due at one moment, soon after the last one was added. */
  async delayed(name: string, count: number): Promise<Measures> {
    const queue = this.#hf.queue<string>(name);
    const dueAt = Date.now() + (count > SMALL ? 240_000 : 10_000);
    const measures = await this.#measure(
      name,
      count,
      (payloads) => queue.addMany(payloads, { at: dueAt }),
      async () => {
        if (Date.now() > dueAt) throw new Error("the delayed jobs were due before all of them were added");
        await new Promise((resolve) => setTimeout(resolve, dueAt - Date.now()));
      },
    );
    return measures;
  }

  async #measure(
    name: string,
    count: number,
    add: (payloads: readonly string[]) => Promise<unknown>,
    ready?: () => Promise<void>,
  ): Promise<Measures> {
    const payloads = Array.from({ length: CHUNK }, () => PAYLOAD);
    const before = await this.#memory();
    let addUs = 0;
    for (let added = 0; added < count; added += CHUNK) {
      // The last ones count: there are most by then.
      addUs = await this.#cost(CHUNK, () => add(payloads));
    }
    const bytes = Math.round(((await this.#memory()) - before) / count);
    this.#log(`${name}: ${count} added`);
    await ready?.();
    const some = Math.min(SOME, count);
    const runUs = await this.#cost(some, () => this.#run(name, some));
    this.#log(`${name}: ${some} run`);
    return { addUs, runUs, bytes };
  }

  /** Works until so many are done; those that run then are done too. */
  async #run(name: string, count: number): Promise<void> {
    let ran = 0;
    const worker = this.#hf.queue<string>(name).work(() => void (ran += 1), { concurrency: 100 });
    await until(`${count} jobs have run`, () => ran >= count, 120_000);
    await worker.close();
  }

  /** One call each of what else there is. */
  async others(name: string): Promise<void> {
    const queue = this.#hf.queue<string>(name, { attempts: 1, maxCrashes: 0 });
    const call = async (what: string, ask: () => Promise<unknown>): Promise<void> => {
      this.calls[what] = await this.#cost(1, ask);
    };
    await call("counts", () => queue.counts());
    await call("pause", () => queue.pause());
    const { id } = await queue.add(PAYLOAD);
    await call("get", () => queue.get(id));
    await call("remove", () => queue.remove(id));
    await call("resume", () => queue.resume());
    let ran = 0;
    const failing = queue.work(
      () => {
        ran += 1;
        throw new Error("no");
      },
      { concurrency: 100 },
    );
    await until("many have died", () => ran >= 2_000, 120_000);
    await failing.close();
    await call("dead.page", () => queue.dead.page({ limit: 100 }));
    await call("dead.redriveAll", () => queue.dead.redriveAll());
  }

  async slow(): Promise<string[]> {
    const entries = (await this.#server.command("SLOWLOG", "GET", "1000")) as unknown[][];
    return entries.map(([, , us, args]) => `${String(us)} us: ${(args as string[]).slice(0, 4).join(" ")}`);
  }

  async #cost(count: number, ask: () => Promise<unknown>): Promise<number> {
    await this.#server.command("CONFIG", "RESETSTAT");
    await ask();
    const stats = String(await this.#server.command("INFO", "commandstats"));
    let us = 0;
    // Commands within a script are counted in the script's own time.
    for (const [, name, spent] of stats.matchAll(/cmdstat_([^:]+):calls=\d+,usec=(\d+)/g))
      if (name === "evalsha" || name === "eval" || name === "publish") us += Number(spent);
    return Math.round((us / count) * 100) / 100;
  }

  async #memory(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(String(await this.#server.command("INFO", "memory")))![1]);
  }
}
