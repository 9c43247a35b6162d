/** What a job that waited for others learns of them. */
import type { Codec } from "../../core/codec/codec.ts";

/** How a job ended for which another one waited. `pending`: it has not; the other one went on without it. */
export type QueueChildResult =
  | { readonly queue: string; readonly id: string; readonly status: "ok"; readonly value: unknown }
  | { readonly queue: string; readonly id: string; readonly status: "dead"; readonly message: string }
  | { readonly queue: string; readonly id: string; readonly status: "cancelled" }
  | { readonly queue: string; readonly id: string; readonly status: "pending" };

export interface Told {
  readonly value?: unknown;
  readonly message?: string;
}

/** What the callbacks of a batch wait for until it is closed. */
export const OPEN = "open";
const NEWLINE = 10;
/** The whole outcome of a job that was cancelled: see `lua/include/letters.lua`. */
const CANCELLED = "x".charCodeAt(0);

/** Outcomes on their way from queue to queue: with the handle's codec, as the two may have codecs of their own, and the queue's own keys. */
export class FanIn {
  readonly #codec: Codec<Told>;

  constructor(codec: Codec<Told>) {
    this.#codec = codec;
  }

  encode(queue: string, id: string, told: Told): Buffer {
    return this.#codec.encode(told, { aad: JSON.stringify([queue, id]) });
  }

  /** In the order in which the jobs were given. */
  decode(stored: ReadonlyMap<string, Buffer>): QueueChildResult[] {
    return this.entries(stored).map(({ result }) => result);
  }

  /** Each with what it is called by the job that waits, and its partition. */
  entries(stored: ReadonlyMap<string, Buffer>): FanInEntry[] {
    const jobs = [...stored].filter(([ref]) => ref !== OPEN);
    const byPlace = jobs.toSorted(([one], [other]) => placeOf(one) - placeOf(other));
    return byPlace.map(([ref, bytes]) => this.#entry(ref, bytes));
  }

  #entry(ref: string, bytes: Buffer): FanInEntry {
    const status = bytes.toString("latin1", 0, 1);
    const end = status === "?" ? bytes.length : bytes.indexOf(NEWLINE);
    const [queue, id, partition] = JSON.parse(bytes.toString("utf8", 1, end)) as [string, string, number];
    return { ref, partition, result: this.#result(queue, id, status, bytes.subarray(end + 1)) };
  }

  #result(queue: string, id: string, status: string, outcome: Buffer): QueueChildResult {
    if (status === "?") return { queue, id, status: "pending" };
    if (outcome.length === 1 && outcome[0] === CANCELLED) return { queue, id, status: "cancelled" };
    const told: Told = outcome.length === 0 ? {} : this.#codec.decode(outcome, { aad: JSON.stringify([queue, id]) });
    if (status === "o") return { queue, id, status: "ok", value: told.value };
    return { queue, id, status: "dead", message: told.message ?? "it was given up" };
  }
}

export interface FanInEntry {
  readonly ref: string;
  readonly partition: number;
  readonly result: QueueChildResult;
}

/** References end with the job's place in its flow. */
function placeOf(ref: string): number {
  return Number(ref.slice(ref.lastIndexOf("/") + 1));
}

/** Whether one is dead without which the others are not waited for. */
export function goesOn(stored: ReadonlyMap<string, Buffer>): boolean {
  return [...stored.values()].some((bytes) => bytes.toString("latin1", 0, 1).toLowerCase() === "c");
}
