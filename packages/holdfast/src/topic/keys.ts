/** Keys of a subscription in the slot of a partition, beside those of its log. */
import type { Core } from "../core/core.ts";
import type { LogKeys } from "../core/log/keys.ts";

export interface SubscriptionKeys {
  /** Where it is, of a shared one. */
  readonly state: string;
  /** Its dead letters by when they died, what they are, and those that are to be handled again. */
  readonly dead: string;
  readonly records: string;
  readonly redriven: string;
  /** Cursor and owner, of an ordered one. */
  readonly owned: string;
}

/** The newest message of each key of a log. */
export interface LatestKeys {
  /** What they are. */
  readonly latest: string;
  /** Their offsets, and those of tombstones. */
  readonly places: string;
  readonly deleted: string;
}

export function latestKeys({ group }: LogKeys): LatestKeys {
  return { latest: group.part("latest"), places: group.part("places"), deleted: group.part("deleted") };
}

export function subscriptionKeys({ group }: LogKeys, subscription: string): SubscriptionKeys {
  return {
    state: group.part("shared", subscription),
    dead: group.part("dead", subscription),
    records: group.part("records", subscription),
    redriven: group.part("redriven", subscription),
    owned: group.part("ordered", subscription),
  };
}

/** What is published on the channel of wake-ups when messages of any partition are put back, or a subscription is moved. */
export function wakeKeyOf(core: Core, topic: string, subscription: string): string {
  return core.keys.group("topic", topic).part("shared", subscription);
}
