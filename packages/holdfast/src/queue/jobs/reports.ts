/** What a run says of itself while it runs: its progress, and lines of its logs. */
import { HoldfastError, InvalidArgumentError, LeaseLostError } from "../../base/errors.ts";
import { type BatchKind, Lane } from "../../core/batch/lane.ts";
import { listKind } from "../../core/batch/list-kind.ts";
import type { Core } from "../../core/core.ts";
import { runScript } from "../../core/script/run.ts";
import type { QueueKeys, WorkerKeys } from "../keys.ts";
import type { Run } from "../run.ts";
import { report } from "../scripts.gen.ts";
import type { QueueValues } from "../values.ts";

/** One line of a job's logs. */
export interface QueueLog {
  /** Milliseconds since 1970 by the server's clock. */
  readonly at: number;
  readonly text: string;
}

type ReportValues = Pick<QueueValues<unknown, unknown>, "context" | "progress" | "log">;

interface Report {
  readonly run: Run;
  readonly kind: "p" | "l";
  readonly value: Buffer;
}

const MAX_REPORTS = 100;
const MAX_LINES = 100;
const MAX_BYTES = 32_768;
const MAX_LINE = 2_000;
/** Between two writes of one run's progress. */
const THROTTLE_MS = 100;
const STAMP = 13;

export class Reports {
  readonly #core: Core;
  readonly #queue: QueueKeys;
  readonly #active: string;
  readonly #values: ReportValues;
  readonly #timeoutMs: number | undefined;
  readonly #slot: number;
  readonly #lane = new Lane();
  readonly #kind: BatchKind<Report, boolean>;
  /** When each run's progress was written, and what is to be written next. */
  readonly #progress = new WeakMap<Run, { at: number; next?: Buffer }>();

  constructor(
    core: Core,
    queue: QueueKeys,
    { active }: WorkerKeys,
    values: ReportValues,
    timeoutMs: number | undefined,
  ) {
    this.#core = core;
    this.#queue = queue;
    this.#active = active;
    this.#values = values;
    this.#timeoutMs = timeoutMs;
    this.#slot = core.driver.slotOf(queue.queue);
    this.#kind = listKind(MAX_REPORTS, (reports) => this.#send(reports));
  }

  /** Values that come sooner than 100 ms after one that was written wait, and only the last of them is written. */
  async progress(run: Run, value: unknown): Promise<void> {
    const { runtime } = this.#core.driver;
    checkHeld(run);
    const bytes = this.#values.progress.encode(value, this.#values.context);
    const before = this.#progress.get(run);
    const now = runtime.now();
    if (before === undefined || (before.next === undefined && now - before.at >= THROTTLE_MS)) {
      this.#progress.set(run, { at: now });
      return this.#write(run, "p", bytes);
    }
    const isPlanned = before.next !== undefined;
    before.next = bytes;
    if (isPlanned) return;
    runtime.setTimeout(() => void this.#writeNext(run), before.at + THROTTLE_MS - now).unref();
  }

  async log(run: Run, text: string): Promise<void> {
    if (typeof text !== "string") throw new InvalidArgumentError("text", "a text", text);
    checkHeld(run);
    const line = text.slice(0, MAX_LINE);
    await this.#write(run, "l", this.#values.log.encode(line, this.#values.context));
  }

  async #writeNext(run: Run): Promise<void> {
    const next = this.#progress.get(run)?.next;
    this.#progress.set(run, { at: this.#core.driver.runtime.now() });
    // The next call says what is wrong, and the last word of a run that has ended is of no use.
    if (next !== undefined && run.lost === undefined) await this.#write(run, "p", next).catch(() => undefined);
  }

  async #write(run: Run, kind: "p" | "l", value: Buffer): Promise<void> {
    try {
      if (await this.#lane.add(this.#kind, this.#slot, { run, kind, value })) return;
    } catch (error) {
      // Written or not: the next one is.
      if (kind === "p" && error instanceof HoldfastError && error.code === "OUTCOME_UNKNOWN") return;
      throw error;
    }
    throw new LeaseLostError("expired", `job ${run.id}: it is no longer this run's`, { op: "job.report", key: run.id });
  }

  async #send(reports: readonly Report[]): Promise<boolean[]> {
    const { jobs, meta } = this.#queue;
    const fields = reports.flatMap(({ run, kind, value }) => [run.id, String(run.fence), kind, value]);
    const { channel } = this.#core.wakeups;
    const args = { channel, maxLines: MAX_LINES, maxBytes: MAX_BYTES, fields };
    const call = { op: "job.report", timeoutMs: this.#timeoutMs };
    const stale = new Set(await runScript(this.#core.driver, report, { active: this.#active, jobs, meta }, args, call));
    return reports.map(({ run }) => !stale.has(run.id));
  }
}

export function logsFrom(values: ReportValues, lines: Buffer): QueueLog[] {
  const logs: QueueLog[] = [];
  for (let at = 0; at < lines.length;) {
    const colon = lines.indexOf(":", at);
    const end = colon + 1 + Number(lines.toString("latin1", at, colon));
    const stamp = colon + 1 + STAMP;
    const text = values.log.decode(lines.subarray(stamp, end), values.context);
    logs.push({ at: Number(lines.toString("latin1", colon + 1, stamp)), text });
    at = end;
  }
  return logs;
}

function checkHeld(run: Run): void {
  if (run.lost !== undefined) throw run.lost;
}
