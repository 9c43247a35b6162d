/** Which partition a job belongs to. Every process must say the same, so nothing here depends on what is known locally. */
import { InvalidArgumentError } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import { SLOTS, slotOf } from "../driver/slot.ts";
import { MAX_ADDITIONS } from "./additions.ts";
import { PostOffice } from "./flows/post.ts";
import type { AddSettings } from "./add-options.ts";
import type { QueueSettings } from "./options.ts";
import { Partition } from "./partition.ts";

/** What an id begins with that was made here. */
const INDEX = /^(\d{1,4})~/;

export class Partitions {
  readonly all: readonly Partition[];
  readonly office: PostOffice;
  #turn = 0;
  #inTurn = 0;

  constructor(core: Core, name: string, settings: QueueSettings) {
    this.office = new PostOffice(core, settings.timeoutMs);
    const { office } = this;
    this.all = Array.from({ length: settings.partitions }, (_, at) => new Partition(core, office, name, at, settings));
  }

  get first(): Partition {
    return this.all[0]!;
  }

  /** Of a job that is added: what must meet (equal ids, keys, groups) meets in one partition, the rest goes to each in turn. */
  for(settings: AddSettings): Partition {
    if (this.all.length === 1) return this.first;
    const { id, key, uniqueKey, group } = settings;
    const [binding, ...others] = [id, key, uniqueKey, group].filter(isGiven);
    if (binding !== undefined && others.some((other) => other !== binding && !this.#isMadeFor(other, settings)))
      throw new InvalidArgumentError(
        "key",
        "only one of `id`, `key`, `group` and `unique` (or equal ones) in a queue of several partitions, as it chooses the partition",
        undefined,
      );
    if (binding === undefined) return this.next();
    return id === undefined ? this.hashed(binding) : this.of(id);
  }

  /** What an id begins with so that its job is in the partition of this group; of a queue of one partition, or without a group: nothing. */
  headFor(group: string | undefined): string {
    return group === undefined ? "" : this.hashed(group).idHead;
  }

  /** Whether this is the job's group, and its id was made for that: it is in its partition. */
  #isMadeFor(group: string, settings: AddSettings): boolean {
    const { id = "" } = settings;
    return group === settings.group && INDEX.test(id) && this.hashed(group) === this.of(id);
  }

  /** Where jobs without a choice of their own go: neighbours in time to the same one, so that they share a script. */
  next(): Partition {
    if (this.all.length === 1) return this.first;
    if (this.#inTurn === 0) {
      this.#turn = (this.#turn + 1) % this.all.length;
      process.nextTick(() => (this.#inTurn = 0));
    }
    this.#inTurn = (this.#inTurn + 1) % MAX_ADDITIONS;
    return this.all[this.#turn]!;
  }

  /** Of a job that was added. */
  of(id: string): Partition {
    if (this.all.length === 1) return this.first;
    const index = INDEX.exec(id)?.[1];
    return (index === undefined ? undefined : this.all[Number(index)]) ?? this.hashed(id);
  }

  /** Ids by the partition that they are in. */
  sorted(ids: readonly string[]): Map<Partition, string[]> {
    const byPartition = new Map<Partition, string[]>();
    for (const id of ids) {
      const partition = this.of(id);
      const own = byPartition.get(partition);
      if (own === undefined) byPartition.set(partition, [id]);
      else own.push(id);
    }
    return byPartition;
  }

  /** Of a key, or a group. */
  hashed(text: string): Partition {
    return this.all[Math.floor((slotOf(text) * this.all.length) / SLOTS)]!;
  }
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}
