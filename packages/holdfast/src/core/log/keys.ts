/** The names of one log's keys, all in the same slot. */
import type { CodecContext } from "../codec/codec.ts";
import type { GroupKeys, Id } from "../keyspace/keyspace.ts";

export class LogKeys {
  readonly group: GroupKeys;
  /** Names the log; encrypted payloads are bound to it. */
  readonly key: string;
  /** That binds them. */
  readonly aad: CodecContext;
  /** The stream of packs. */
  readonly log: string;
  /** Hash: `head`, `epoch`, `at` (of the last message), `first` (all from there is kept), `trimmed`, and what producers wrote last. */
  readonly meta: string;
  /** Hash: a subscription's name, and `<offset that it has passed>[:<server ms until which it counts as used>]`. */
  readonly cursors: string;
  /** Sharded channel: what is appended, as it is appended. */
  readonly live: string;

  constructor(group: GroupKeys) {
    this.group = group;
    this.key = group.key;
    this.aad = { aad: group.key };
    this.log = group.part("log");
    this.meta = group.part("meta");
    this.cursors = group.part("cursors");
    this.live = group.part("live");
  }

  /** Where it is noted that a message of this id was appended. */
  id(id: Id): string {
    return this.group.part("id", id);
  }
}
