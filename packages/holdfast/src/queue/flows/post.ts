/**
 * Delivers what one partition has for others: that a job has ended, to those that wait for it; and the jobs of a flow whose adder has died.
 * Every letter was written in the step that it tells of, and is removed after it was delivered; one that is delivered twice changes nothing.
 */
import { HoldfastError } from "../../base/errors.ts";
import type { Core } from "../../core/core.ts";
import { QueueKeys } from "../keys.ts";
import { warnUnlessOutage } from "../patience.ts";
import type { Plan, PlanNode } from "./plan.ts";
import { FlowStore } from "./flow-store.ts";

type Letter =
  | readonly [
      kind: "ended",
      at: number,
      queue: string,
      partition: number,
      id: string,
      policy: string,
      ref: string,
      status: string,
    ]
  | readonly [kind: "plan", name: string];

/** For so long the one who wrote a plan is believed to be adding its jobs. */
const PLAN_GRACE_MS = 5_000;
const PLAN_FORGOTTEN_MS = 10 * 60_000;
const MAX_AT_ONCE = 100;

export class Post {
  readonly flows: FlowStore;
  readonly #core: Core;
  readonly #office: PostOffice;
  /** Plans that lie about, each since when it was seen here. */
  readonly #plans = new Map<string, number>();
  #isDelivering = false;
  #isWanted = false;

  constructor(core: Core, office: PostOffice, flows: FlowStore) {
    this.#core = core;
    this.#office = office;
    this.flows = flows;
  }

  /** Delivers what there is, in the background; what fails is delivered at the next call. */
  kick(): void {
    this.#isWanted = true;
    if (!this.#isDelivering) void this.#deliverAll();
  }

  /** Adds the jobs of a plan that is written down, those that wait first. What fails is done by a worker. */
  async carryOut(name: string, { nodes }: Plan): Promise<void> {
    try {
      await this.#add(nodes, (node) => this.#office.of(node.queue, node.partition).flows.add(node));
      await this.flows.planDone(name);
    } catch (error) {
      warnUnlessOutage(error);
    }
  }

  async #deliverAll(): Promise<void> {
    this.#isDelivering = true;
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await this.#deliverSome();
      }
    } catch (error) {
      if (!(error instanceof HoldfastError && error.code === "CLOSED")) warnUnlessOutage(error);
    } finally {
      this.#isDelivering = false;
    }
  }

  /** Where some cannot be told, as their slot's server is away, the others are. */
  async #deliverSome(): Promise<void> {
    const letters = await this.flows.letters();
    const read = letters.map(([text, outcome]) => ({ text, outcome, letter: JSON.parse(text) as Letter }));
    const delivered: string[] = [];
    const told = await Promise.allSettled(
      read.map(async ({ text, outcome, letter }) => {
        if (letter[0] !== "ended") return;
        const [, , queue, partition, id, policy, ref, status] = letter;
        const post = this.#office.of(queue, partition);
        if ((await post.flows.tell({ id, policy, ref, status, outcome })) > 0 && post !== this) post.kick();
        delivered.push(text);
      }),
    );
    await this.flows.delivered(delivered);
    this.#isWanted ||= delivered.length > 0;
    this.#forgetPlans();
    for (const { letter } of read) if (letter[0] === "plan") await this.#adopt(letter[1]);
    for (const outcome of told) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** Those that their writers have carried out meanwhile: one that lies about still is seen again. */
  #forgetPlans(): void {
    const now = this.#core.driver.runtime.now();
    for (const [name, seenAt] of this.#plans) if (now - seenAt > PLAN_FORGOTTEN_MS) this.#plans.delete(name);
  }

  /** A plan whose writer has had time enough. */
  async #adopt(name: string): Promise<void> {
    const now = this.#core.driver.runtime.now();
    const seenAt = this.#plans.get(name);
    if (seenAt === undefined) this.#plans.set(name, now);
    if (seenAt === undefined || now - seenAt < PLAN_GRACE_MS) return;
    await this.#add(await this.flows.planned(name), async (node) => {
      // One that has been added and is over by now is not waited for any more.
      if (await this.#isWaitedFor(node)) await this.#office.of(node.queue, node.partition).flows.add(node);
    });
    await this.flows.planDone(name);
    this.#plans.delete(name);
  }

  async #isWaitedFor({ waiting }: PlanNode): Promise<boolean> {
    for (const [queue, partition, id, , ref] of waiting)
      if (await this.#office.of(queue, partition).flows.isWaiting(id, ref)) return true;
    return false;
  }

  async #add(nodes: readonly PlanNode[], add: (node: PlanNode) => Promise<unknown>): Promise<void> {
    for (let from = 0; from < nodes.length;) {
      const { level } = nodes[from]!;
      let to = from;
      while (to < nodes.length && nodes[to]!.level === level && to - from < MAX_AT_ONCE) to += 1;
      await Promise.all(nodes.slice(from, to).map((node) => add(node)));
      from = to;
    }
  }
}

/** The posts of the partitions that a queue has to do with: its own, and those of the jobs that wait for its jobs. */
export class PostOffice {
  readonly #core: Core;
  readonly #timeoutMs: number | undefined;
  readonly #posts = new Map<string, Post>();

  constructor(core: Core, timeoutMs: number | undefined) {
    this.#core = core;
    this.#timeoutMs = timeoutMs;
  }

  of(queue: string, partition: number): Post {
    const keys = this.#core.keys.group("queue", queue, partition);
    const known = this.#posts.get(keys.key);
    if (known !== undefined) return known;
    const post = new Post(this.#core, this, new FlowStore(this.#core, new QueueKeys(keys), this.#timeoutMs));
    this.#posts.set(keys.key, post);
    return post;
  }
}
