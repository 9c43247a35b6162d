/** How a plan comes to the server: a small one with the step that makes it count, a large one in pieces before it. */
import { HoldfastError } from "../../base/errors.ts";
import type { Core } from "../../core/core.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { QueueKeys } from "../keys.ts";
import { flowPlan } from "../scripts.gen.ts";
import type { Plan } from "./plan.ts";
import { encodeNode } from "./plan-text.ts";

interface WrittenPlan {
  readonly waits: readonly string[];
  readonly nodes: readonly Buffer[];
  readonly written: number;
  readonly links: number;
}

/** About a millisecond of the server's time. */
const MAX_PART = 250;
/** For so long a plan that is being written down lives. */
const PART_TTL_MS = 10 * 60_000;

export class PlanWriter {
  readonly #core: Core;
  readonly #keys: QueueKeys;
  readonly #call: UnclassedCall;

  constructor(core: Core, keys: QueueKeys, call: UnclassedCall) {
    this.#core = core;
    this.#keys = keys;
    this.#call = call;
  }

  /** What the step is given that makes a plan count: all of a small one; of a large one how much was written down in pieces before. */
  async write(name: string, { nodes, waits }: Plan): Promise<WrittenPlan> {
    const links = waits.length / 2;
    if (nodes.length <= MAX_PART) return { waits, nodes: nodes.map(encodeNode), written: 0, links };
    const names = { plan: this.#keys.plan(name), staged: this.#keys.staged(name) };
    for (let before = 0; before < nodes.length; before += MAX_PART) {
      const some = nodes.slice(before, before + MAX_PART).map(encodeNode);
      const entries = waits
        .slice(before * 2, (before + MAX_PART) * 2)
        .map((text, at) => (at % 2 === 0 ? text : `?${text}`));
      const parts = [...some, ...entries.map((text) => Buffer.from(text))];
      const args = { ttlMs: PART_TTL_MS, before, count: some.length, parts };
      if ((await runScript(this.#core.driver, flowPlan, names, args, this.#call)).status === "lost") this.lost(name);
    }
    return { waits: [], nodes: [], written: nodes.length, links };
  }

  lost(name: string): never {
    throw new HoldfastError(
      "UNAVAILABLE",
      "the server lost the plan of the flow while it was written down: nothing was added",
      {
        op: this.#call.op,
        key: name,
        retryable: true,
      },
    );
  }
}
