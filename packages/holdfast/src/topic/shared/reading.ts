/** The messages of a claim, which returns numbers only: those of the log from its packs, redriven dead letters from their records. */
import type { LogPack } from "../../core/log/pack.ts";
import type { TopicGap } from "../subscription.ts";
import { Delivery, type DeliveryOwner, type DeliveryTerm } from "./delivery.ts";
import type { PackReader } from "./packs.ts";
import type { Settling } from "./settling.ts";
import type { Claimed, Token } from "./store.ts";

/** What a claim makes of its messages. */
export type Term = Pick<Claimed, "generation" | "epoch"> & {
  readonly dueAt: number;
} & DeliveryTerm;

export interface ReadingParts {
  readonly owner: DeliveryOwner;
  readonly partition: number;
  readonly packs: PackReader;
  readonly settling: Settling;
  /** A redriven dead letter, as a pack of one; undefined: it is gone, or dead again. */
  readonly letter: (token: Token) => Promise<LogPack | undefined>;
  readonly onGap: (gap: TopicGap) => void;
}

export class Reading {
  readonly #parts: ReadingParts;

  constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  /** What cannot be read for the moment is given back: nobody else could have it before the visibility is over. */
  async read({ due, from, count }: Claimed, term: Term): Promise<Delivery[]> {
    const fresh = Array.from({ length: count }, (_, at) => tokenOf(String(from + at), 1, term));
    const again = due.map(({ member, tag }) => tokenOf(member, tag, term));
    const runs = runsOf(again.filter((token) => !isLetter(token)));
    if (count > 0) runs.push(fresh);
    try {
      const letters = again.filter(isLetter).map((token) => this.#letter(token, term));
      const read = await Promise.all([...letters, ...runs.map((run) => this.#run(run, term))]);
      return read.flat();
    } catch (error) {
      for (const token of [...again, ...fresh])
        this.#parts.settling.add({ token, verb: "release", ms: 0, settled: () => undefined });
      throw error;
    }
  }

  /** @param run tokens of contiguous offsets */
  async #run(run: readonly Token[], term: Term): Promise<Delivery[]> {
    const from = offsetOf(run[0]!);
    const to = from + run.length - 1;
    const deliveries: Delivery[] = [];
    let next = from;
    for (const pack of await this.#parts.packs.read(term.epoch, from, to)) {
      if (pack.first > next) this.#gone(run.slice(next - from, pack.first - from));
      const last = Math.min(pack.last, to);
      for (let offset = Math.max(pack.first, next); offset <= last; offset += 1)
        deliveries.push(new Delivery(this.#parts.owner, run[offset - from]!, pack, offset, term));
      next = last + 1;
    }
    if (next <= to) this.#gone(run.slice(next - from));
    return deliveries;
  }

  async #letter(token: Token, term: Term): Promise<Delivery[]> {
    const pack = await this.#parts.letter(token);
    if (pack !== undefined) return [new Delivery(this.#parts.owner, token, pack, pack.first, term)];
    this.#done(token);
    return [];
  }

  /** The log no longer has them. */
  #gone(tokens: readonly Token[]): void {
    const { partition, onGap } = this.#parts;
    const from = offsetOf(tokens[0]!);
    onGap({ kind: "gap", partition, from, to: from + tokens.length - 1, count: tokens.length });
    for (const token of tokens) this.#done(token);
  }

  #done(token: Token): void {
    this.#parts.settling.add({ token, verb: "ack", ms: 0, settled: () => undefined });
  }
}

function tokenOf(member: string, tag: number, { generation, dueAt }: Term): Token {
  return { member, tag, generation, dueAt };
}

function isLetter({ member }: Token): boolean {
  return member.startsWith("c");
}

function offsetOf({ member }: Token): number {
  return Number(member);
}

/** Those that are due again lie anywhere in the log: as runs of contiguous offsets. */
function runsOf(tokens: readonly Token[]): Token[][] {
  const runs: Token[][] = [];
  for (const token of tokens.toSorted((a, b) => offsetOf(a) - offsetOf(b))) {
    const run = runs.at(-1);
    if (run !== undefined && offsetOf(run.at(-1)!) === offsetOf(token) - 1) run.push(token);
    else runs.push([token]);
  }
  return runs;
}
