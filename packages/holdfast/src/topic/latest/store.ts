/** The newest messages of keys as they lie on the server; publishing is `append.ts`. */
import { listOf } from "../../core/command/reply.ts";
import { runScript } from "../../core/script/run.ts";
import { latestKeys } from "../keys.ts";
import { latestScan, type LatestScanArgs, type LatestScanResult } from "../scripts.gen.ts";
import type { TopicSource } from "../source.ts";

/** Rows of one answer, and their bytes. */
const ROWS = 512;
const BYTES = 65_536;

/** What a reader has, and what it wants. */
export type LatestScanTerms = Omit<LatestScanArgs, "limit" | "bytes">;

const NOTHING: LatestScanTerms = { after: 0, afterAt: 0, upTo: 0, tombstones: false, epoch: 0, began: 0 };

/** @param op as a user knows it; without one it is what happens in the background */
export class LatestStore {
  readonly #source: TopicSource<unknown>;
  readonly #op: string;

  constructor(source: TopicSource<unknown>, op: string) {
    this.#source = source;
    this.#op = op;
  }

  scan(partition: number, terms: LatestScanTerms, limit: number = ROWS): Promise<LatestScanResult> {
    const { core, name, logs, settings } = this.#source;
    const { log, meta } = logs[partition]!;
    const keys = { log, meta, ...latestKeys(logs[partition]!) };
    const call = { op: this.#op, key: name, timeoutMs: settings.timeoutMs };
    return runScript(core.driver, latestScan, keys, { ...terms, limit, bytes: BYTES }, call);
  }

  /** Since when it is known all that is: another number than before where it was lost; 0 where there was nothing yet. */
  async began(partition: number): Promise<number> {
    const answer = await this.scan(partition, NOTHING, 0);
    return answer.status === "ok" ? answer.began : 0;
  }

  /** Records; null where there is none. Cost: HMGET. */
  async records(partition: number, keys: readonly string[]): Promise<(Buffer | null)[]> {
    const { latest } = latestKeys(this.#source.logs[partition]!);
    const reply = await this.#read(["HMGET", latest, ...keys], latest);
    return listOf(reply, this.#op, this.#source.name) as (Buffer | null)[];
  }

  /** Cost: ZCARD. */
  async count(partition: number): Promise<number> {
    const { places } = latestKeys(this.#source.logs[partition]!);
    return Number(await this.#read(["ZCARD", places], places));
  }

  #read(args: readonly string[], key: string): ReturnType<TopicSource<unknown>["core"]["driver"]["send"]> {
    const { core, name, settings } = this.#source;
    const call = { op: this.#op, class: "read", key: name, timeoutMs: settings.timeoutMs } as const;
    return core.driver.send(args, call, key);
  }
}
