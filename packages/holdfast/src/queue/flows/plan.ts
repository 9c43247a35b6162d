/** A flow with a name, a place and an order for each of its jobs. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type PlacedParts, QueueChild } from "./child.ts";
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
const MAX_LINKS = 100_000;

/**
 * Names every job of a flow once. `head` begins the names and is known to no other flow.
 * @throws InvalidArgumentError for more than 10,000 jobs, or 100,000 times that one waits for another
 */
export function planOf(head: string, parents: readonly Parent[], children: readonly QueueChild[]): Plan {
  const nodes = new Map<QueueChild, Draft>();
  const draftOf = (child: QueueChild): Draft => {
    const draft = nodes.get(child) ?? new Draft(head, nodes.size, QueueChild.partsOf(child));
    nodes.set(child, draft);
    if (nodes.size > MAX_NODES)
      throw new InvalidArgumentError("children", `at most ${MAX_NODES} jobs in one flow`, undefined);
    return draft;
  };
  const first = new Set(children.map(draftOf));
  let links = 0;
  // What is found on the way is gone through too.
  for (const { parts } of nodes.values()) {
    links += parts.children.length;
    if (links > MAX_LINKS)
      throw new InvalidArgumentError("children", `at most ${MAX_LINKS} of all jobs of a flow together`, undefined);
    for (const child of parts.children) draftOf(child);
  }
  const own = [...first].flatMap((draft, place) => {
    const ref = `${head}/${place}`;
    for (const { queue, partition, id, policy = draft.parts.policy } of parents)
      draft.waiting.push([queue, partition, id, policy, ref]);
    return [ref, draft.name];
  });
  for (const draft of nodes.values())
    for (const [place, below] of draft.parts.children.entries()) {
      const child = nodes.get(below)!;
      const ref = `${head}/${place}`;
      child.waiting.push([draft.parts.queue, draft.partition, draft.id, child.parts.policy, ref]);
      draft.waits.push(ref, child.name);
    }
  const levels = [...nodes.values()].toSorted((a, b) => b.parts.height - a.parts.height);
  return { waits: own, nodes: levels.map((draft) => draft.node()) };
}

class Draft {
  readonly parts: PlacedParts;
  readonly partition: number;
  readonly id: string;
  readonly waits: string[] = [];
  readonly waiting: Waiting[] = [];

  constructor(head: string, place: number, parts: PlacedParts) {
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
    const { parts, partition, id, waits, waiting } = this;
    const { queue, lane, due, height } = parts;
    return { queue, partition, id, level: height, lane, due, waits, waiting, record: parts.record(waiting) };
  }
}
