/** The server's side of the events of one queue partition: a stream that the scripts write to which change jobs. */
import { type BatchKind, Lane } from "../../core/batch/lane.ts";
import { listKind } from "../../core/batch/list-kind.ts";
import type { Core } from "../../core/core.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { QueueKeys } from "../keys.ts";
import { warnUnlessOutage } from "../patience.ts";
import type { Run } from "../run.ts";
import { events, note } from "../scripts.gen.ts";
import type { EventPlace, StoredEvent } from "./event.ts";

/** What is new behind a place. `first`: the number of the oldest one that is kept; `total`, `last`: how many there were, and the latest. */
export interface EventNews {
  readonly first: number;
  readonly total: number;
  readonly last: string;
  readonly found: readonly StoredEvent[];
}

interface Started {
  readonly worker: string;
  readonly run: Run;
}

/** The scripts note events for so long after the last process that has them has asked for it. */
const NOTED_MS = 60 * 60_000;
const AGAIN_MS = 10 * 60_000;
const MAX_STARTED = 200;
const PARTS = 5;

export class EventStore {
  readonly #core: Core;
  readonly #keys: QueueKeys;
  readonly #most: number;
  readonly #call: UnclassedCall;
  readonly #lane = new Lane();
  readonly #slot: number;
  readonly #starting: BatchKind<Started, undefined>;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(core: Core, keys: QueueKeys, most: number, timeoutMs: number | undefined) {
    this.#core = core;
    this.#keys = keys;
    this.#most = most;
    this.#call = { op: "queue.events", timeoutMs };
    this.#slot = core.driver.slotOf(keys.queue);
    this.#starting = listKind(MAX_STARTED, (started) => this.#noteStarted(started));
  }

  /** Readers are woken by it. */
  get wakeKey(): string {
    return this.#keys.events;
  }

  /** From the next call on that is sent, scripts note events. */
  ask(): void {
    const now = this.#core.driver.runtime.now();
    if (now - this.#askedAt < AGAIN_MS) return;
    this.#askedAt = now;
    const key = this.#keys.eventsMax;
    const set = ["SET", key, String(this.#most), "PX", String(NOTED_MS)];
    this.#core.driver.send(set, { ...this.#call, class: "idempotent" }, key).catch((error: unknown) => {
      this.#askedAt = Number.NEGATIVE_INFINITY;
      warnUnlessOutage(error);
    });
  }

  /** Resolves once it is sent, so that it is noted before what the run sends. Those of the same tick share a script. */
  async started(worker: string, run: Run): Promise<void> {
    this.ask();
    await this.#lane.add(this.#starting, this.#slot, { worker, run });
  }

  /** Where nothing is new, the next event wakes the reader, if it comes within `watchMs`. */
  async since({ entry }: EventPlace, count: number, watchMs: number): Promise<EventNews> {
    const { events: stream, eventsMax: max, watched } = this.#keys;
    const args = { keepMs: NOTED_MS, most: this.#most, watchMs, after: entry, count };
    const names = { events: stream, max, watched };
    const { first, total, last, found } = await runScript(this.#core.driver, events, names, args, this.#call);
    const rows = Array.from({ length: found.length / PARTS }, (_, at) => {
      const row = found.slice(at * PARTS, (at + 1) * PARTS);
      const [place, kind, job, name, detail] = row as [Buffer, Buffer, Buffer, Buffer, Buffer];
      return { entry: String(place), kind: String(kind), job: String(job), name: String(name), detail };
    });
    return { first, total, last, found: rows };
  }

  /** Where it fails, readers miss it. */
  async #noteStarted(started: readonly Started[]): Promise<undefined[]> {
    const { channel } = this.#core.wakeups;
    const fields = started.flatMap(({ worker, run }) => [run.id, run.record.name ?? "", worker]);
    const args = { channel, kind: "started", fields };
    runScript(this.#core.driver, note, { jobs: this.#keys.jobs }, args, this.#call).catch(warnUnlessOutage);
    return started.map(() => undefined);
  }
}
