/** The names of the keys of a queue's schedules, in the slot of its jobs. */
import type { GroupKeys } from "../../core/keyspace/keyspace.ts";

export class ScheduleKeys {
  /** What is to be added, by id. */
  readonly schedules: string;
  /** How far each schedule is, by id. */
  readonly states: string;
  /** When each schedule is due. */
  readonly ticks: string;
  /** All ids, in alphabetical order. */
  readonly names: string;
  /** What wakes the tickers of a queue. */
  readonly wakeKey: string;

  constructor(keys: GroupKeys) {
    this.schedules = keys.part("schedules");
    this.states = keys.part("scheduleStates");
    this.ticks = keys.part("ticks");
    this.names = keys.part("scheduleNames");
    this.wakeKey = keys.part("wake", "ticks");
  }
}
