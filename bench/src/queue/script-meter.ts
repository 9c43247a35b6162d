/** What the scripts of a server take by its own count, and which of their calls took longer than they may. */
import { execFileSync } from "node:child_process";
import { createClient } from "@redis/client";
import { connected, type NodeRedis } from "../clients.ts";
import type { Target } from "../suite.ts";

const SLOW_MICROS = 5_000;
const MOST_ENTRIES = 1_000;

export interface SlowScript {
  readonly script: string;
  /** Of the slow log. */
  readonly entries: number;
  readonly medianMs: number;
  readonly mostMs: number;
}

interface SlowEntry {
  readonly micros: number;
  readonly script: string;
}

export class ScriptMeter implements AsyncDisposable {
  readonly #client: NodeRedis;
  readonly #names: ReadonlyMap<string, string>;

  private constructor(client: NodeRedis, names: ReadonlyMap<string, string>) {
    this.#client = client;
    this.#names = names;
  }

  static async start({ url }: Target): Promise<ScriptMeter> {
    const client = await connected(createClient({ url }));
    await preferServer(client);
    await client.sendCommand(["CONFIG", "SET", "slowlog-log-slower-than", String(SLOW_MICROS)]);
    await client.sendCommand(["CONFIG", "SET", "slowlog-max-len", String(MOST_ENTRIES)]);
    return new ScriptMeter(client, await scriptNames());
  }

  /** Microseconds of all scripts while `work` is under way. */
  async measure(
    work: () => Promise<unknown>,
  ): Promise<{ readonly micros: number; readonly slow: readonly SlowScript[] }> {
    await this.#client.sendCommand(["SLOWLOG", "RESET"]);
    await this.#client.sendCommand(["CONFIG", "RESETSTAT"]);
    await work();
    const stats = await this.#client.info("commandstats");
    const scripts = [...stats.matchAll(/^cmdstat_evalsha?:calls=\d+,usec=(\d+)/gm)];
    const micros = scripts.reduce((sum, [, usec]) => sum + Number(usec), 0);
    const log = (await this.#client.sendCommand(["SLOWLOG", "GET", String(MOST_ENTRIES)])) as unknown[][];
    return { micros, slow: summed(log.map((entry) => this.#entry(entry))) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
  }

  #entry([, , micros, words]: readonly unknown[]): SlowEntry {
    const [command, sha] = (words as unknown[]).map(String);
    return { micros: Number(micros), script: this.#names.get(sha ?? "") ?? command! };
  }
}

/** What it waits for a processor is no time of a script's, but the slow log cannot know. Where this is not allowed, it stays so. */
async function preferServer(client: NodeRedis): Promise<void> {
  const pid = /^process_id:(\d+)/m.exec(await client.info("server"))?.[1] ?? "";
  try {
    // A better `nice` value would count within its session only (sched_autogroup).
    execFileSync("chrt", ["--rr", "--pid", "1", pid], { stdio: "ignore" });
  } catch {
    console.error("the server cannot be preferred to other processes: its slow log has their time too");
  }
}

/** The names of the queue's scripts by their SHA-1, which the package does not export. */
async function scriptNames(): Promise<ReadonlyMap<string, string>> {
  const file = new URL("../dist/queue/scripts.gen.js", import.meta.resolve("holdfast"));
  const scripts = (await import(file.href)) as Readonly<
    Record<string, { readonly name: string; readonly sha1: string }>
  >;
  return new Map(Object.values(scripts).map(({ name, sha1 }) => [sha1, name]));
}

function summed(entries: readonly SlowEntry[]): SlowScript[] {
  const scripts = new Set(entries.map(({ script }) => script));
  return [...scripts].map((name) => {
    const own = entries.filter(({ script }) => script === name).map(({ micros }) => micros / 1_000);
    const sorted = own.toSorted((a, b) => a - b);
    return { script: name, entries: own.length, medianMs: sorted[sorted.length >> 1]!, mostMs: sorted.at(-1)! };
  });
}
