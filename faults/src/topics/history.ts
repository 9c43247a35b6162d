/** All ledgers of a scenario, put together: of each message its publication, and its runs in each subscription. */
import type { Member } from "../fleet.ts";
import type { ConsumerEntry, End, Kind, Payload, PublisherEntry } from "./message.ts";

export interface Publication {
  readonly key: string;
  readonly payload: Payload;
  readonly beganAt: number;
  status: "ok" | "duplicate" | "unknown" | "unanswered";
  answeredAt: number;
  /** No failover takes it back. */
  isReplicated: boolean;
}

export interface Run {
  readonly kind: Kind;
  readonly call: string;
  readonly partition: number;
  readonly offset: number;
  readonly delivery: number;
  readonly fence: number;
  readonly startedAt: number;
  readonly consumer: string;
  end: End | "open";
  endedAt: number;
}

export interface Gap {
  readonly kind: Kind;
  readonly gap: "gap" | "reset";
  readonly partition: number;
  readonly at: number;
  readonly consumer: string;
}

/** A dead letter, in the end. */
export interface Letter {
  readonly kind: Kind;
  readonly call: string;
}

export interface History {
  readonly publications: ReadonlyMap<string, Publication>;
  /** In the order in which they began. */
  readonly runs: readonly Run[];
  readonly gaps: readonly Gap[];
  readonly letters: readonly Letter[];
}

export function readHistory(
  publishers: readonly Member[],
  consumers: readonly Member[],
  letters: readonly Letter[],
): History {
  const publications = new Map<string, Publication>();
  for (const publisher of publishers) for (const entry of publisher.read<PublisherEntry>()) note(publications, entry);
  const [runs, gaps]: [Run[], Gap[]] = [[], []];
  for (const consumer of consumers) {
    const open = new Map<number, Run>();
    for (const entry of consumer.read<ConsumerEntry>()) {
      if (entry.what === "gap") gaps.push({ ...entry, consumer: consumer.name });
      else if (entry.what === "started") {
        const { what: _, at, run: number, ...rest } = entry;
        const run: Run = { ...rest, startedAt: at, consumer: consumer.name, end: "open", endedAt: Infinity };
        runs.push(run);
        open.set(number, run);
      } else if (entry.what === "ended") {
        const run = open.get(entry.run)!;
        run.end = entry.how;
        run.endedAt = entry.at;
      }
    }
  }
  return { publications, runs: runs.sort((a, b) => a.startedAt - b.startedAt), gaps, letters };
}

function note(publications: Map<string, Publication>, entry: PublisherEntry): void {
  if (entry.what === "publishing") {
    const { key, payload, at } = entry;
    publications.set(payload.call, {
      key,
      payload,
      beganAt: at,
      status: "unanswered",
      answeredAt: Infinity,
      isReplicated: false,
    });
    return;
  }
  if (entry.what === "replicated") {
    for (const call of entry.calls) publications.get(call)!.isReplicated = true;
    return;
  }
  const publication = publications.get(entry.call)!;
  publication.answeredAt = entry.at;
  publication.status = entry.what === "unknown" ? "unknown" : (entry.status as "ok" | "duplicate");
}
