/** A summary every few seconds, by a schedule: whichever worker is free makes it, and no tick has two. */
import type { Holdfast, Queue, QueueSchedule, QueueWorker } from "holdfast";
import type { State, Summary } from "./state.ts";

export const SUMMARY_EVERY_MS = 5_000;
const SCHEDULE = "summary";
const LATEST = "latest";

export class Summaries {
  readonly queue: Queue<string>;
  readonly #state: State;

  constructor(hf: Holdfast, state: State) {
    this.queue = hf.queue("summaries", { attempts: 3 });
    this.#state = state;
  }

  /** Makes them until it is closed, and has the schedule: set by every process, and there once. */
  async work(by: string): Promise<QueueWorker> {
    await this.queue.schedules.set(SCHEDULE, {
      every: SUMMARY_EVERY_MS,
      missed: "once",
      overlap: "skip",
      payload: "all",
    });
    return this.queue.work(async ({ scheduledFor = 0 }) => this.#make(by, scheduledFor), {
      lease: "2s",
      poll: "1s",
      drain: "1s",
    });
  }

  schedule(): Promise<QueueSchedule<string> | undefined> {
    return this.queue.schedules.get(SCHEDULE);
  }

  async latest(): Promise<Summary | undefined> {
    return (await this.#state.summaries.get(LATEST))?.value;
  }

  async #make(by: string, scheduledFor: number): Promise<void> {
    const { totals, boards, summaries } = this.#state;
    const [counted, [first]] = await Promise.all([totals.getMany(["flights", "late"]), boards.busiest.top(1)]);
    const flights = counted.get("flights") ?? 0;
    const late = flights === 0 ? 0 : (counted.get("late") ?? 0) / flights;
    await summaries.set(LATEST, { flights, late, busiest: first?.member, by, scheduledFor });
  }
}
