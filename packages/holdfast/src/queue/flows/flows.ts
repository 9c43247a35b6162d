/** Whole flows: looked at, cancelled, and run again where jobs of them have died. */
import type { Codec } from "../../core/codec/codec.ts";
import { inChunks } from "../../core/batch/in-chunks.ts";
import type { Operations } from "../../core/observe/observe.ts";
import { checkName } from "../check-name.ts";
import type { Partitions } from "../partitions.ts";
import type { QueueJobState } from "../jobs/info.ts";
import { checkReason } from "../jobs/changes.ts";
import { cancelledElsewhere } from "../values.ts";
import { FanIn, type QueueChildResult, type Told } from "./fan-in.ts";
import type { Post, PostOffice } from "./post.ts";

/** A job of a flow, and those that it waits for or has waited for. */
export interface QueueFlow {
  readonly queue: string;
  readonly id: string;
  /** `ended`: it is over, and so is what is known of those below it. */
  readonly state: QueueJobState | "ended";
  /** How it ended for the one that waits for it; undefined for the last job of the flow. */
  readonly result: QueueChildResult | undefined;
  readonly children: readonly QueueFlow[];
}

interface Address {
  readonly queue: string;
  readonly partition: number;
  readonly id: string;
}

const AT_ONCE = 50;

/**
 * @example
 * const flow = await albums.flows.get(id);                   // a tree with the state of each job
 * await albums.flows.cancel(id, "no longer wanted");        // the whole tree
 * await albums.flows.retry(id);                              // runs the dead ones again, and what died of it waits again
 */
export class QueueFlows {
  readonly #operations: Operations;
  readonly #queue: string;
  readonly #partitions: Partitions;
  readonly #office: PostOffice;
  readonly #fanIn: FanIn;
  readonly #told: Codec<Told>;

  constructor(told: Codec<Told>, operations: Operations, queue: string, partitions: Partitions) {
    this.#operations = operations;
    this.#queue = queue;
    this.#partitions = partitions;
    this.#office = partitions.office;
    this.#fanIn = new FanIn(told);
    this.#told = told;
  }

  /** Returns the flow that ends in this job, or undefined where there is none. A job for which two wait is shown twice. Cost: a script and HGETALL per job. */
  get(id: string): Promise<QueueFlow | undefined> {
    return this.#operations.run("flows.get", id, async () => {
      const flow = await this.#look(this.#root(id), undefined, new Map());
      return flow.state === "ended" ? undefined : flow;
    });
  }

  /**
   * Runs the dead jobs of the flow again, with all their attempts; those that died of them wait again. What has ended well is not run again.
   * Returns how many were dead for reasons of their own. Idempotent. Cost: as `get`, and a script per dead job.
   */
  retry(id: string): Promise<number> {
    return this.#operations.run("flows.retry", id, async () => {
      const seen = new Map<string, Promise<QueueFlow>>();
      const root = this.#root(id);
      await this.#look(root, undefined, seen);
      return this.#retry(root, new Set());
    });
  }

  /**
   * Cancels the flow that ends in this job: the job, and all in every queue that it waits for and that have not ended; the handlers of those that run
   * are told, and what is not added yet never is. Returns how many were cancelled, running ones included. Nothing is found of a flow whose last job is over.
   * Idempotent. Cost: HGETALL and a script per job.
   */
  cancel(id: string, reason?: string): Promise<number> {
    return this.#operations.run("flows.cancel", id, async () => {
      const root = this.#root(id);
      const outcome = cancelledElsewhere({ told: this.#told }, checkReason(reason));
      const posts = new Set<Post>();
      const cancelled = await this.#cancel(root, { outcome, posts, done: new Set() });
      // Others may wait for some of them.
      for (const post of posts) post.kick();
      return cancelled;
    });
  }

  #root(id: string): Address {
    return { queue: this.#queue, partition: this.#partitions.of(checkName("id", id)).index, id };
  }

  /** Those that wait first, so that none is told of an end before it waits for it again. */
  async #retry(address: Address, done: Set<string>): Promise<number> {
    const { flows } = this.#office.of(address.queue, address.partition);
    const key = JSON.stringify([address.queue, address.id]);
    if (done.has(key)) return 0;
    done.add(key);
    const state = await flows.stateOf(address.id);
    if (state === undefined) return 0;
    const children = await this.#children(address);
    const died = children.filter(({ result }) => result.status === "dead");
    const stateOf = ({ child }: Below) => this.#office.of(child.queue, child.partition).flows.stateOf(child.id);
    const states = await inChunks(died, (chunk) => Promise.all(chunk.map(stateOf)), { size: AT_ONCE });
    const dead = died.filter((_, at) => states[at] !== undefined);
    let retried = 0;
    const refs = dead.map(({ ref }) => ref);
    const waits = refs.length > 0 && (await flows.retry(address.id, refs));
    if (state === "dead" && !waits) retried += await flows.redrive(address.id);
    const retry = (chunk: readonly Below[]) => Promise.all(chunk.map(({ child }) => this.#retry(child, done)));
    const below = await inChunks(children, retry, { size: AT_ONCE });
    return below.reduce((sum, each) => sum + each, retried);
  }

  /** Those that wait first, so that none runs, or dies, because of the others; what they wait for is forgotten with them. */
  async #cancel(address: Address, work: Cancelling): Promise<number> {
    const key = JSON.stringify([address.queue, address.id]);
    if (work.done.has(key)) return 0;
    work.done.add(key);
    const post = this.#office.of(address.queue, address.partition);
    work.posts.add(post);
    const below = new Map((await this.#children(address)).map((each) => [each.ref, each]));
    const answer = await post.flows.cancel(address.id, work.outcome);
    // What it has added by then: from now on it adds nothing.
    if (answer === "running") for (const each of await this.#children(address)) below.set(each.ref, each);
    const pending = [...below.values()].filter(({ result }) => result.status === "pending");
    const task = (chunk: readonly Below[]) => Promise.all(chunk.map(({ child }) => this.#cancel(child, work)));
    const cancelled = await inChunks(pending, task, { size: AT_ONCE });
    return cancelled.reduce((sum, each) => sum + each, answer === "missing" ? 0 : 1);
  }

  #look(
    address: Address,
    result: QueueChildResult | undefined,
    seen: Map<string, Promise<QueueFlow>>,
  ): Promise<QueueFlow> {
    const key = JSON.stringify([address.queue, address.id]);
    const known = seen.get(key) ?? this.#lookOnce(address, result, seen);
    seen.set(key, known);
    return known;
  }

  async #lookOnce(
    address: Address,
    result: QueueChildResult | undefined,
    seen: Map<string, Promise<QueueFlow>>,
  ): Promise<QueueFlow> {
    const { queue, id } = address;
    const state = await this.#office.of(queue, address.partition).flows.stateOf(id);
    if (state === undefined) return { queue, id, state: "ended", result, children: [] };
    const below = await this.#children(address);
    const task = (chunk: readonly Below[]) => Promise.all(chunk.map((one) => this.#look(one.child, one.result, seen)));
    const children = await inChunks(below, task, { size: AT_ONCE });
    return { queue, id, state, result, children };
  }

  async #children({ queue, partition, id }: Address): Promise<Below[]> {
    const stored = await this.#office.of(queue, partition).flows.children(id);
    return this.#fanIn.entries(stored).map(({ ref, partition: below, result }) => {
      return { ref, result, child: { queue: result.queue, partition: below, id: result.id } };
    });
  }
}

interface Cancelling {
  readonly outcome: Buffer;
  readonly posts: Set<Post>;
  readonly done: Set<string>;
}

interface Below {
  readonly ref: string;
  readonly child: Address;
  readonly result: QueueChildResult;
}
