/** A flow with a name, a place and an order for each of its jobs. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type ChildParts, QueueChild } from "./child.ts";
import type { Waiting } from "./waiting.ts";

/** A job that waits for the jobs of a plan from outside it. */
export interface Parent {
  readonly queue: string;
  readonly partition: number;
  readonly id: string;
  /** Instead of the children's own. */
  readonly policy?: string;
}

/** One job of a plan. */
export interface PlanNode {
  readonly queue: string;
  readonly partition: number;
  readonly id: string;
  /** Those of one level do not wait for each other; those that wait come first. */
  readonly level: number;
  readonly lane: number;
  readonly due: string;
  /** References and names of those that it waits for, alternating. */
  readonly waits: readonly string[];
  readonly waiting: readonly Waiting[];
  readonly record: Buffer;
}

export interface Plan {
  /** What the parents wait for. */
  readonly waits: readonly string[];
  readonly nodes: readonly PlanNode[];
}

const MAX_NODES = 10_000;

/**
 * Names every job of a flow once. `head` begins the names and is known to no other flow.
 * @throws InvalidArgumentError for more than 10,000 jobs
 */
export function planOf(head: string, parents: readonly Parent[], children: readonly QueueChild[]): Plan {
  const nodes = new Map<QueueChild, Draft>();
  const visit = (child: QueueChild, level: number): Draft => {
    const known = nodes.get(child);
    const draft = known ?? new Draft(head, nodes.size, QueueChild.partsOf(child));
    if (known === undefined) nodes.set(child, draft);
    if (nodes.size > MAX_NODES)
      throw new InvalidArgumentError("children", `at most ${MAX_NODES} jobs in one flow`, undefined);
    // Deeper than before: what lies below it sinks too.
    if (known === undefined || level > draft.level) {
      draft.level = level;
      for (const below of draft.parts.children) visit(below, level + 1);
    }
    return draft;
  };
  const first = new Set(children.map((child) => visit(child, 0)));
  const own = [...first].flatMap((draft, place) => {
    const ref = `${head}/${place}`;
    for (const { queue, partition, id, policy = draft.parts.policy } of parents)
      draft.waiting.push([queue, partition, id, policy, ref]);
    return [ref, draft.name];
  });
  for (const draft of nodes.values())
    for (const [place, below] of [...new Set(draft.parts.children)].entries()) {
      const child = nodes.get(below)!;
      const ref = `${head}/${place}`;
      child.waiting.push([draft.parts.queue, draft.partition, draft.id, child.parts.policy, ref]);
      draft.waits.push(ref, child.name);
    }
  const levels = [...nodes.values()].toSorted((a, b) => a.level - b.level);
  return { waits: own, nodes: levels.map((draft) => draft.node()) };
}

class Draft {
  readonly parts: ChildParts;
  readonly partition: number;
  readonly id: string;
  readonly waits: string[] = [];
  readonly waiting: Waiting[] = [];
  level = -1;

  constructor(head: string, place: number, parts: ChildParts) {
    const { index, idHead } = parts.place();
    this.parts = parts;
    this.partition = index;
    this.id = `${idHead}${head}/${place}`;
  }

  /** As the jobs that wait for it know it. */
  get name(): string {
    return JSON.stringify([this.parts.queue, this.id, this.partition]);
  }

  node(): PlanNode {
    const { parts, partition, id, level, waits, waiting } = this;
    const { queue, lane, due } = parts;
    return { queue, partition, id, level, lane, due, waits, waiting, record: parts.record(waiting) };
  }
}
