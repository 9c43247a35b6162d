/** One of a queue's partitions: a whole queue of its own, in a slot of its own. Most queues have one. */
import type { Core } from "../core/core.ts";
import { Additions } from "./additions.ts";
import type { Post, PostOffice } from "./flows/post.ts";
import { QueueKeys } from "./keys.ts";
import type { QueueSettings } from "./options.ts";
import { QueueStore } from "./store.ts";

export class Partition {
  readonly index: number;
  readonly keys: QueueKeys;
  readonly store: QueueStore;
  readonly additions: Additions;
  readonly post: Post;
  /** What ids made for this partition begin with. */
  readonly idHead: string;

  constructor(core: Core, office: PostOffice, name: string, index: number, settings: QueueSettings) {
    this.index = index;
    this.idHead = settings.partitions === 1 ? "" : `${index}~`;
    this.keys = new QueueKeys(core.keys.group("queue", name, index));
    this.store = new QueueStore(core, this.keys, settings);
    this.additions = new Additions(core, this.keys, {
      timeoutMs: settings.timeoutMs,
      idHead: this.idHead,
    });
    this.post = office.of(name, index);
  }
}
