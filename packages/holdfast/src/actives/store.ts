/** The server's side of actives: which calls share a script, and what is read together. */
import { murmurHashOf } from "../core/hash/murmur.ts";
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { Core } from "../core/core.ts";
import { decodeBytes, decodeList, decodeOptional } from "../core/script/decode.ts";
import { type BatchItem, decodedBy, type UnclassedCall } from "../core/script/run.ts";
import type { Window } from "../core/window/windows.ts";
import type { Driver } from "../driver/port.ts";
import { type Bits, bitsOf } from "./bits.ts";
import type { ActivesSettings } from "./options.ts";
import { mark, type MarkArgs, type MarkKeys, type MarkResult } from "./scripts.gen.ts";

type Mark = BatchItem<MarkKeys, MarkArgs>;

/** Strings over which a partition's list of users is spread. */
const LISTS = 128;
/** Of a user, in such a list. */
const LISTED_BYTES = 11;
/** Windows in one MGET. */
const MAX_READS = 64;
/** What one command reads, or one script: less than half a millisecond of the server's time. */
const MAX_BYTES = 2 ** 19;
/** Keys in one UNLINK. */
const UNLINKED = 512;
const SEED = 0x61_63_74_69;

export class ActivesStore {
  readonly #driver: Driver;
  readonly #core: Core;
  readonly #name: string;
  readonly #settings: ActivesSettings;
  /** Windows in one MGET. */
  readonly #reads: number;
  readonly #lane = new Lane();
  readonly #marks: BatchKind<Mark, MarkResult>;

  constructor(core: Core, name: string, settings: ActivesSettings) {
    this.#driver = core.driver;
    this.#core = core;
    this.#name = name;
    this.#settings = settings;
    const marks = scriptKind<MarkKeys, MarkArgs, MarkResult, Mark, MarkResult>(
      this.#driver,
      mark,
      this.#call("mark"),
      orThrow,
    );
    // A mark reads the list with its user.
    this.#marks = { ...marks, maxItems: fitting((settings.maxUsers / LISTS) * LISTED_BYTES, marks.maxItems) };
    this.#reads = fitting(settings.maxUsers / 8, MAX_READS);
  }

  mark(user: string, window: Window, expiresAt: number): Promise<MarkResult> {
    const { low, high } = murmurHashOf(user, SEED);
    const hash = Buffer.allocUnsafe(8);
    hash.writeUInt32LE(low, 0);
    hash.writeUInt32LE(high, 4);
    const partition = high % this.#settings.partitions;
    const keys = {
      meta: this.#key(partition, "meta"),
      users: this.#key(partition, `users:${low % LISTS}`),
      window: this.#windowKey(partition, window),
    };
    const args = { hash, maxUsers: this.#settings.maxUsers, expiresAt };
    return this.#lane.add(this.#marks, this.#driver.slotOf(keys.meta), { keys, args, key: user });
  }

  /** Who was active in each of these windows, of the users of one partition. */
  async read(partition: number, windows: readonly Window[]): Promise<(Bits | undefined)[]> {
    const keys = windows.map((window) => this.#windowKey(partition, window));
    const call = { ...this.#call("count"), class: "read" } as const;
    const found: (Bits | undefined)[] = [];
    for (let at = 0; at < keys.length; at += this.#reads) {
      const some = keys.slice(at, at + this.#reads);
      this.#lane.flush(this.#driver.slotOf(some[0]!));
      const reply = await this.#driver.send(["MGET", ...some], call, some[0]);
      const stored = decodedBy(
        (parts) => decodeList(parts, (part) => decodeOptional(part, decodeBytes)),
        reply,
        "MGET",
        call,
      );
      found.push(...stored.map(bitsOf));
    }
    return found;
  }

  /** Removes what there is of a partition. */
  async remove(partition: number, windows: readonly Window[]): Promise<void> {
    const keys = [
      ...windows.map((window) => this.#windowKey(partition, window)),
      this.#key(partition, "meta"),
      ...Array.from({ length: LISTS }, (_, list) => this.#key(partition, `users:${list}`)),
    ];
    this.#lane.flush(this.#driver.slotOf(keys[0]!));
    const call = { ...this.#call("clear"), class: "idempotent" } as const;
    for (let at = 0; at < keys.length; at += UNLINKED)
      await this.#driver.send(["UNLINK", ...keys.slice(at, at + UNLINKED)], call, keys[0]);
  }

  #windowKey(partition: number, { number }: Window): string {
    return this.#key(partition, `${this.#settings.windows.label}:${number}`);
  }

  #key(partition: number, part: string): string {
    return this.#core.keys.group("actives", this.#name, partition).part(`${this.#settings.partitions}:${part}`);
  }

  #call(operation: string): UnclassedCall {
    return { op: `actives.${operation}`, key: this.#name, timeoutMs: this.#settings.timeoutMs };
  }
}

/** How many strings of so many bytes one command may read, at most. */
function fitting(bytes: number, most: number): number {
  return Math.max(1, Math.min(most, Math.floor(MAX_BYTES / bytes)));
}
