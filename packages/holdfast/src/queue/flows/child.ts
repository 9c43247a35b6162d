/** The jobs of a flow before they are added: a graph without circles, as each is made with those that it waits for. */
import { InvalidArgumentError } from "../../base/errors.ts";
import type { Waiting } from "./waiting.ts";

/** What a waiting job does when one that it waits for is dead: dies too; goes on when all have ended; starts at once. */
export type QueueOnDead = "fail" | "ignore" | "continue";

const POLICIES: Readonly<Record<QueueOnDead, string>> = { fail: "f", ignore: "i", continue: "c" };

export function policyOf(onDead: unknown): string {
  if (typeof onDead === "string" && Object.hasOwn(POLICIES, onDead)) return POLICIES[onDead as QueueOnDead];
  throw new InvalidArgumentError("onDead", '"fail", "ignore" or "continue"', onDead);
}

export interface ChildParts {
  readonly queue: string;
  /** Chooses a partition of the queue. */
  readonly place: () => { readonly index: number; readonly idHead: string };
  readonly lane: number;
  readonly due: string;
  /** The job's record, without its time. */
  readonly record: (waiting: readonly Waiting[]) => Buffer;
  readonly policy: string;
  readonly children: readonly QueueChild[];
}

export interface PlacedParts extends ChildParts {
  /** 0: it waits for none; else 1 more than the highest of those that it waits for. */
  readonly height: number;
}

/** A job that others wait for, made by `queue.child()`. Where two jobs wait for the same one, it runs once. */
export class QueueChild {
  readonly #parts: PlacedParts;

  constructor(parts: ChildParts) {
    const heights = parts.children.map((child) => child.#parts.height + 1);
    this.#parts = { ...parts, height: heights.reduce((most, height) => Math.max(most, height), 0) };
  }

  /** @internal */
  static partsOf(child: QueueChild): PlacedParts {
    return child.#parts;
  }

  static is(value: unknown): value is QueueChild {
    return typeof value === "object" && value !== null && #parts in value;
  }
}

/** Each of them once, in a list that nobody changes later on: else there could be circles. */
export function checkChildren(field: string, given: unknown): readonly QueueChild[] {
  if (Array.isArray(given) && given.every((child) => QueueChild.is(child))) return [...new Set(given)];
  throw new InvalidArgumentError(field, "a list of what queue.child() returned", given);
}
