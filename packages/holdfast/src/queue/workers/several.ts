/** One worker for several queues, which share its places: by weight, or in strict order. */
import { Door } from "../../base/door.ts";
import { ClosedError, InvalidArgumentError } from "../../base/errors.ts";
import { type OptionNames, parseOptions } from "../../base/options.ts";
import type { Core } from "../../core/core.ts";
import { type QueueWorkOptions, workSettings } from "../work-options.ts";
import { Slots, type SlotsOrder } from "../slots.ts";
import { QueueWorker } from "../worker.ts";
import { checkHandlings, type QueueHandling } from "./handling.ts";

export interface QueueWorkSeveralOptions extends Omit<QueueWorkOptions, "aliases" | "threads"> {
  /**
   * Who gets a slot that several queues want: `weighted`, each in proportion to its weight; `strict`, the first of them in the order in which they are
   * given. What a queue has no jobs for the others get. @default "weighted"
   */
  readonly order?: SlotsOrder;
}

const OPTIONS: OptionNames<QueueWorkSeveralOptions> = {
  order: true,
  concurrency: true,
  lease: true,
  poll: true,
  drain: true,
  until: true,
};

export function workSeveral(
  core: Core,
  given: readonly QueueHandling[],
  options: QueueWorkSeveralOptions | undefined,
): QueueWorker {
  const { handlings, work, slots } = parseOptions("work", options, OPTIONS, ({ order = "weighted", ...rest }) => {
    if (order !== "weighted" && order !== "strict")
      throw new InvalidArgumentError("order", '"weighted" or "strict"', order);
    const settings = workSettings(rest);
    return {
      handlings: checkHandlings(core, given),
      work: settings,
      slots: new Slots(settings.concurrency, order),
    };
  });
  if (core.isClosing) throw new ClosedError(undefined, { op: "work" });
  const sources = handlings.map(({ source, weight }) => source(work.pollMs, slots.share(weight)));
  const door = new Door(core.handlers);
  return new QueueWorker({ core, sources, work, door, release: () => Promise.resolve() });
}
