import type { Core } from "../../core/core.ts";
import type { EntryKeys } from "../../core/keyspace/keyspace.ts";
import { tagIn } from "../../driver/slot.ts";

/** The keys of the index in one slot; without an index both are the entry's own key. */
export interface SlotKeys {
  readonly ids: string;
  readonly ends: string;
}

export class IndexKeys {
  readonly #core: Core;
  readonly #keys: EntryKeys;
  readonly #bySlot = new Map<number, SlotKeys>();

  constructor(core: Core, name: string) {
    this.#core = core;
    this.#keys = core.keys.entries("ids", name);
  }

  of(key: string): SlotKeys {
    return this.in(this.#core.driver.slotOf(key));
  }

  in(slot: number): SlotKeys {
    let keys = this.#bySlot.get(slot);
    if (keys === undefined) {
      const ids = this.#keys.key(tagIn(slot));
      this.#bySlot.set(slot, (keys = { ids, ends: `${ids}:ends` }));
    }
    return keys;
  }
}
