/** The parts of a queue, made once. */
import { parseOptions } from "../base/options.ts";
import type { Core } from "../core/core.ts";
import { Operations } from "../core/observe/observe.ts";
import { QUEUE_OPTIONS, type QueueOptions, queueSettings, type QueueSettings } from "./options.ts";
import { TallyStore } from "./overview/store.ts";
import { Partitions } from "./partitions.ts";
import { queueValues, type QueueValues } from "./values.ts";

/** What everything of one queue stands on. */
export interface QueueParts<Payload, Result> {
  readonly core: Core;
  readonly name: string;
  readonly operations: Operations;
  readonly settings: QueueSettings;
  readonly values: QueueValues<Payload, Result>;
  readonly partitions: Partitions;
  readonly tallies: TallyStore;
}

export function queueParts<Payload, Result>(
  core: Core,
  name: string,
  options: QueueOptions<Payload, Result> | undefined,
): QueueParts<Payload, Result> {
  const operations = new Operations("queue", name);
  const [settings, values] = parseOptions(
    operations.where,
    options,
    QUEUE_OPTIONS,
    (given) =>
      [
        queueSettings(given as QueueOptions<never, never>),
        queueValues(core, core.keys.group("queue", name).key, given),
      ] as const,
  );
  const partitions = new Partitions(core, name, settings);
  const tallies = new TallyStore(core, partitions.first.keys, settings.timeoutMs);
  return { core, name, operations, settings, values, partitions, tallies };
}
