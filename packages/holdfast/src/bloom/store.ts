/** The server's side of a Bloom filter: which calls share a command, and what the replies mean. */
import { HoldfastError, OutcomeUnknownError, TimeoutError } from "../base/errors.ts";
import { grouped } from "../core/batch/grouped.ts";
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import { orThrow } from "../core/batch/script-kind.ts";
import type { Core } from "../core/core.ts";
import { decodeInt, decodeList } from "../core/script/decode.ts";
import { asHoldfastError, type BatchItem, decodedBy, runMerged, type UnclassedCall } from "../core/script/run.ts";
import type { Driver } from "../driver/port.ts";
import { type Place, placeOf } from "./geometry.ts";
import type { BloomSettings } from "./options.ts";
import { add, type AddArgs, type AddKeys, type AddResult } from "./scripts.gen.ts";

/** `1`: it was new; `0`: it was there; `2`: it was not, and its segment is full. */
export type Answer = "0" | "1" | "2";

interface Asked extends Place {
  readonly member: string;
  readonly generation: number;
}

/** In one script, less than half a millisecond; each of the bits has four arguments, and Lua passes on 7,000. */
const MAX_MEMBERS = 64;
const MAX_BITS = 1_500;
/** In front of the bits: how many members there are. */
const HEAD_BITS = 32;
/** Clocks of two processes may disagree by so much, about the end of a generation. */
const DISAGREEMENT_MS = 1_000;

export class BloomStore {
  readonly #driver: Driver;
  readonly #core: Core;
  readonly #name: string;
  readonly #settings: BloomSettings;
  readonly #lane = new Lane();
  readonly #adds: BatchKind<Asked, Answer>;
  readonly #reads: BatchKind<Asked & { readonly now: number }, boolean>;

  constructor(core: Core, name: string, settings: BloomSettings) {
    this.#driver = core.driver;
    this.#core = core;
    this.#name = name;
    this.#settings = settings;
    const maxItems = Math.min(MAX_MEMBERS, Math.floor(MAX_BITS / settings.geometry.hashes));
    this.#adds = { maxItems, run: (group) => void this.#addGroup(group) };
    this.#reads = { maxItems, run: (group) => void this.#readGroup(group) };
  }

  add(member: string, now: number): Promise<Answer> {
    const asked = this.#asked(member, now);
    return this.#lane.add(this.#adds, this.#driver.slotOf(this.#keyOf(asked)), asked);
  }

  has(member: string, now: number): Promise<boolean> {
    const asked = this.#asked(member, now);
    return this.#lane.add(this.#reads, this.#driver.slotOf(this.#keyOf(asked)), { ...asked, now });
  }

  /** How many members a segment has, of those of this generation. */
  async count(segment: number, now: number): Promise<number> {
    const key = this.#keyOf({ segment, generation: this.#generationAt(now) });
    this.#lane.flush(this.#driver.slotOf(key));
    const call = { ...this.#call("info"), class: "read" } as const;
    const reply = await this.#driver.send(["BITFIELD_RO", key, "GET", "u32", "0"], call, key);
    return decodedBy((counts) => decodeList(counts, decodeInt)[0]!, reply, "BITFIELD_RO", call);
  }

  async remove(segment: number, now: number): Promise<void> {
    const generation = this.#generationAt(now);
    const keys = [generation - 1, generation, generation + 1].map((each) => this.#keyOf({ segment, generation: each }));
    this.#lane.flush(this.#driver.slotOf(keys[0]!));
    await this.#driver.send(["UNLINK", ...new Set(keys)], { ...this.#call("clear"), class: "idempotent" }, keys[0]);
  }

  #asked(member: string, now: number): Asked {
    return { member, ...placeOf(member, this.#settings.geometry), generation: this.#generationAt(now) };
  }

  #generationAt(now: number): number {
    const { ttlMs } = this.#settings;
    return ttlMs === undefined ? 0 : Math.floor(now / ttlMs);
  }

  #keyOf({ segment, generation }: Pick<Asked, "segment" | "generation">): string {
    const { ttlMs, geometry } = this.#settings;
    // Filters of other numbers of segments may have segments of the same size.
    const part = `${geometry.segments}x${geometry.bits}x${geometry.hashes}`;
    const keys = this.#core.keys.group("bloom", this.#name, segment);
    return keys.part(ttlMs === undefined ? part : `${part}:${ttlMs}:${generation}`);
  }

  /** Members of one segment go in one piece. */
  async #addGroup(group: readonly Pending<Asked, Answer>[]): Promise<void> {
    const bySegment = [...grouped(group, ({ item }) => this.#keyOf(item)).values()];
    const repeated = new Set<number>();
    const items = bySegment.map((pendings, at) => this.#item(pendings, () => repeated.add(at)));
    const outcomes = await runMerged<AddKeys, AddArgs, AddResult>(this.#driver, add, items, this.#call("add"));
    for (const [at, pendings] of bySegment.entries()) {
      const outcome = outcomes[at]!;
      for (const [place, pending] of pendings.entries()) {
        if (outcome instanceof HoldfastError) pending.reject(outcome);
        else if (outcome.status === "late")
          pending.reject(repeated.has(at) ? this.#unknown(pending.item.member) : this.#late(pending.item.member));
        else {
          const answer = outcome.answers[place] as Answer;
          // The attempt whose answer was lost may have added it.
          if (answer === "0" && repeated.has(at)) pending.reject(this.#unknown(pending.item.member));
          else pending.resolve(answer);
        }
      }
    }
  }

  #item(pendings: readonly Pending<Asked, Answer>[], repeats: () => unknown): BatchItem<AddKeys, AddArgs> {
    const { ttlMs = 0, geometry } = this.#settings;
    const { segment, generation, member } = pendings[0]!.item;
    const neighbour = (by: number): string =>
      this.#keyOf({ segment, generation: ttlMs === 0 ? generation : generation + by });
    const args = {
      positions: pendings.map(({ item }) => item.positions.map((at) => at + HEAD_BITS).join(" ")).join(" "),
      hashes: geometry.hashes,
      allBits: geometry.bits + HEAD_BITS,
      capacity: geometry.perSegment,
      endsAt: (generation + 1) * ttlMs,
      ttlMs,
    };
    const onRepeat = (): AddArgs => {
      repeats();
      return args;
    };
    const keys = { current: neighbour(0), previous: neighbour(-1), next: neighbour(1) };
    return { keys, args, key: pendings.length === 1 ? member : undefined, onRepeat };
  }

  /** One command for each segment and generation. */
  async #readGroup(group: readonly Pending<Asked & { readonly now: number }, boolean>[]): Promise<void> {
    try {
      const { ttlMs } = this.#settings;
      const bySegment = [...grouped(group, ({ item }) => this.#keyOf(item)).values()];
      const reads = bySegment.flatMap((pendings) => {
        const { segment, generation, now } = pendings[0]!.item;
        const isNearEnd = ttlMs !== undefined && now + DISAGREEMENT_MS >= (generation + 1) * ttlMs;
        const generations =
          ttlMs === undefined ? [0] : [generation, generation - 1, ...(isNearEnd ? [generation + 1] : [])];
        return generations.map((each) => ({ pendings, key: this.#keyOf({ segment, generation: each }) }));
      });
      const commands = reads.map(({ pendings, key }) => {
        const bits = pendings.flatMap(({ item }) =>
          item.positions.flatMap((at) => ["GET", "u1", String(at + HEAD_BITS)]),
        );
        return ["BITFIELD_RO", key, ...bits];
      });
      const call = { ...this.#call("has"), class: "read" } as const;
      const replies = await this.#driver.batch(commands, call, reads[0]!.key);
      const found = new Set<Pending<unknown, boolean>>();
      for (const [at, { pendings }] of reads.entries()) {
        const bits = decodedBy((reply) => decodeList(reply, decodeInt), orThrow(replies[at]!), "BITFIELD_RO", call);
        const { hashes } = this.#settings.geometry;
        for (const [place, pending] of pendings.entries())
          if (bits.slice(place * hashes, (place + 1) * hashes).every((bit) => bit === 1)) found.add(pending);
      }
      for (const pending of group) pending.resolve(found.has(pending));
    } catch (error) {
      for (const pending of group) pending.reject(asHoldfastError(error));
    }
  }

  #unknown(member: string): OutcomeUnknownError {
    const what = "its answer was lost; it is in the filter now, and whether it was before is not known";
    return new OutcomeUnknownError(`bloom.add ${JSON.stringify(member)}: ${what}`, { op: "bloom.add", key: member });
  }

  #late(member: string): TimeoutError {
    const what = "it reached the server more than a `ttl` late, and was not added; try again";
    return new TimeoutError(`bloom.add ${JSON.stringify(member)}: ${what}`, { op: "bloom.add", key: member });
  }

  #call(operation: string): UnclassedCall {
    return { op: `bloom.${operation}`, key: this.#name, timeoutMs: this.#settings.timeoutMs };
  }
}
