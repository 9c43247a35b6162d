/** What is told of a queue's jobs, and how a place in it is written. */
import { InvalidArgumentError } from "../../base/errors.ts";
import type { Codec, CodecContext } from "../../core/codec/codec.ts";

interface About {
  /** `events({ from: cursor })` goes on behind it. */
  readonly cursor: string;
  /** The job's id. */
  readonly job: string;
  /** What the job was added with. */
  readonly name: string | undefined;
  /** Milliseconds since 1970 by the server's clock. */
  readonly at: number;
}

/**
 * Something that happened to a job. `added`, `updated` and `removed` by a call or a schedule; `retried`: one that was over runs again;
 * `started`, by a worker; `completed`, `failed` (it runs again in `delayMs`), `dead`, `cancelled`, `expired`; `released`: its run ended otherwise
 * (snoozed, limited, waiting for others, or its worker closed); `recovered`: the worker that ran it died; `progress`: `value` is what the handler
 * gave, undefined where that takes more than 1,024 bytes, or cannot be decoded. `gap`: `missed` events were trimmed before they were read, undefined where it cannot be told how many.
 */
export type QueueEvent =
  | (About & {
      readonly type:
        | "added"
        | "updated"
        | "removed"
        | "retried"
        | "completed"
        | "dead"
        | "cancelled"
        | "expired"
        | "released";
    })
  | (About & { readonly type: "started" | "recovered"; readonly worker: string })
  | (About & { readonly type: "failed"; readonly delayMs: number })
  | (About & { readonly type: "progress"; readonly value: unknown })
  | { readonly type: "gap"; readonly cursor: string; readonly missed: number | undefined };

/** A place in one partition's events: an entry's id, and how many there were up to it. */
export interface EventPlace {
  readonly entry: string;
  readonly count: number;
}

export const BEGINNING: EventPlace = { entry: "0-0", count: 0 };

export function placeText({ entry, count }: EventPlace): string {
  return `${entry}.${count}`;
}

/** @param cursor of as many partitions */
export function placesFrom(cursor: string, partitions: number): EventPlace[] {
  const places = cursor.split("_").map((text) => {
    const [, entry, count] = /^(\d{1,16}-\d{1,16})\.(\d{1,15})$/.exec(text) ?? [];
    if (entry === undefined) throw new InvalidArgumentError("from", '"start" or the cursor of an event', undefined);
    return { entry, count: Number(count) };
  });
  if (places.length === partitions) return places;
  throw new InvalidArgumentError("from", "the cursor of an event of this queue, of as many partitions", undefined);
}

/** As it lies on the server. */
export interface StoredEvent {
  readonly entry: string;
  readonly kind: string;
  readonly job: string;
  readonly name: string;
  readonly detail: Buffer;
}

export interface EventValues {
  readonly progress: Codec<unknown>;
  readonly context: CodecContext;
}

export function eventFrom(
  values: EventValues,
  { entry, kind, job, name, detail }: StoredEvent,
  cursor: string,
): QueueEvent {
  const about = { cursor, job, name: name === "" ? undefined : name, at: Number(entry.slice(0, entry.indexOf("-"))) };
  if (kind === "started" || kind === "recovered") return { ...about, type: kind, worker: detail.toString() };
  if (kind === "failed") return { ...about, type: kind, delayMs: Number(detail.toString()) };
  if (kind === "progress") return { ...about, type: kind, value: progressFrom(values, detail) };
  return { ...about, type: kind as "added" };
}

/** One that a reader has no key for is not to keep it from all that comes after. */
function progressFrom({ progress, context }: EventValues, detail: Buffer): unknown {
  try {
    return detail.length === 0 ? undefined : progress.decode(detail, context);
  } catch {
    return undefined;
  }
}
