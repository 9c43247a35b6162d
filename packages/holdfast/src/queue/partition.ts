/** One of a queue's partitions: a whole queue of its own, in a slot of its own. Most queues have one. */
import type { Core } from "../core/core.ts";
import { Additions } from "./additions.ts";
import type { Post, PostOffice } from "./flows/post.ts";
import { EventStore } from "./events/store.ts";
import { GroupStore } from "./groups/store.ts";
import { JobStore } from "./jobs/store.ts";
import { QueueKeys } from "./keys.ts";
import type { QueueSettings } from "./options.ts";
import { StepStore } from "./steps/step-store.ts";
import { QueueStore } from "./store.ts";

export class Partition {
  readonly index: number;
  readonly keys: QueueKeys;
  readonly store: QueueStore;
  readonly groups: GroupStore;
  readonly jobs: JobStore;
  readonly additions: Additions;
  /** Of a queue that has them. */
  readonly events: EventStore | undefined;
  readonly post: Post;
  readonly steps: StepStore;
  /** What ids made for this partition begin with. */
  readonly idHead: string;

  constructor(core: Core, office: PostOffice, name: string, index: number, settings: QueueSettings) {
    this.index = index;
    this.idHead = settings.partitions === 1 ? "" : `${index}~`;
    this.keys = new QueueKeys(core.keys.group("queue", name, index));
    this.store = new QueueStore(core, this.keys, settings);
    this.groups = new GroupStore(core, this.keys, settings.timeoutMs);
    this.post = office.of(name, index);
    this.jobs = new JobStore(core, this.keys, settings, this.post);
    this.events =
      settings.events === 0 ? undefined : new EventStore(core, this.keys, settings.events, settings.timeoutMs);
    this.additions = new Additions(core, this.keys, {
      timeoutMs: settings.timeoutMs,
      resultTtlMs: settings.resultTtlMs,
      maxWaiting: shareOf(settings.maxWaiting, settings.partitions, index),
      idHead: this.idHead,
      events: this.events,
    });
    this.steps = new StepStore(core, this.keys, settings.timeoutMs);
  }
}

/** What a partition has of a whole number: the parts add up to it. */
export function shareOf(total: number, partitions: number, index: number): number {
  return Math.floor(total / partitions) + (index < total % partitions ? 1 : 0);
}
