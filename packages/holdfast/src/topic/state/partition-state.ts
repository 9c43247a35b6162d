/**
 * The state of a transactional subscription in one partition, for its owner: nobody else writes it, so what was read or written stays true for as long as the partition is
 * owned. A commit that comes from anybody else is refused, together with what it would have written.
 */
import { HoldfastError } from "../../base/errors.ts";
import { type Change, changed, Changes } from "./changes.ts";
import { fieldOf, type StateCodec, type Stored } from "./stored.ts";

/** What a commit writes: fields and values in turn, and the fields that go. */
export interface StateWrites {
  readonly sets: readonly (string | Buffer)[];
  readonly deletes: readonly string[];
  /** How many names the state has then. */
  readonly names: number;
}

/** What the changes of a call make of the state. */
export interface Resolved {
  readonly after: ReadonlyMap<string, Stored>;
  /** Names that were not there before, less those that go. */
  readonly added: number;
}

export interface PartitionStateParts {
  readonly codec: StateCodec;
  /** The most names that it may have. */
  readonly maxNames: number;
  /** How many it has. */
  readonly names: number;
  /** Waits for the server until the partition is lost; rejects then. */
  readonly read: (names: readonly string[]) => Promise<readonly Stored[]>;
}

/** What is remembered of what was read or written. */
const MAX_KNOWN = 10_000;
const MAX_KNOWN_BYTES = 8 * 1024 * 1024;
/** What may wait for a commit before the next message. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export class PartitionState {
  readonly #parts: PartitionStateParts;
  #names: number;
  /** Changed, and not sent. */
  #waiting = new Map<string, Stored>();
  /** With the commit under way. */
  #sent = new Map<string, Stored>();
  #waitingBytes = 0;
  #sentBytes = 0;
  /** As the server has it; what was used longest ago in front. */
  readonly #known = new Map<string, Stored>();
  #knownBytes = 0;

  constructor(parts: PartitionStateParts) {
    this.#parts = parts;
    this.#names = parts.names;
  }

  get hasWrites(): boolean {
    return this.#waiting.size > 0;
  }

  /** Nothing is to be added before some of it is committed. */
  get isFull(): boolean {
    return this.#waitingBytes + this.#sentBytes > MAX_WAITING_BYTES;
  }

  /** For one call of the handler. */
  begin(): Changes {
    return new Changes(this.#parts.codec, async (name) => (await this.#load([name]))[0]);
  }

  /** What these changes make of the state: to be merged as their messages are finished. @throws HoldfastError where they cannot be made */
  async resolve({ all }: Changes): Promise<Resolved> {
    const names = [...all.keys()];
    const before = await this.#load(names);
    const after = new Map<string, Stored>();
    let added = 0;
    for (const [at, name] of names.entries()) {
      const stored = changed(name, before[at], all.get(name)! satisfies Change);
      after.set(name, stored);
      added += Number(stored !== undefined) - Number(before[at] !== undefined);
    }
    const { maxNames } = this.#parts;
    if (added > 0 && this.#names + added > maxNames)
      throw new HoldfastError("OVERLOADED", `the state of a partition has at most ${maxNames} names (\`maxNames\`)`);
    return { after, added };
  }

  /** Nothing was merged since they were resolved. */
  merge({ after, added }: Resolved): void {
    this.#names += added;
    for (const [name, stored] of after) {
      this.#waitingBytes += sizeOf(name, stored) - sizeOf(name, this.#waiting.get(name), this.#waiting.has(name));
      this.#waiting.set(name, stored);
    }
  }

  /** For the next commit. */
  take(): StateWrites {
    this.#sent = this.#waiting;
    this.#sentBytes = this.#waitingBytes;
    this.#waiting = new Map();
    this.#waitingBytes = 0;
    const sets: (string | Buffer)[] = [];
    const deletes: string[] = [];
    for (const [name, stored] of this.#sent) {
      if (stored === undefined) deletes.push(fieldOf(name));
      else sets.push(fieldOf(name), stored);
    }
    return { sets, deletes, names: this.#names };
  }

  /** What was taken is on the server. */
  committed(): void {
    for (const [name, stored] of this.#sent) this.#know(name, stored);
    this.#sent = new Map();
    this.#sentBytes = 0;
  }

  #current(name: string): Stored {
    for (const some of [this.#waiting, this.#sent, this.#known]) if (some.has(name)) return some.get(name);
    return undefined;
  }

  async #load(names: readonly string[]): Promise<Stored[]> {
    const isHere = (name: string): boolean => this.#waiting.has(name) || this.#sent.has(name) || this.#known.has(name);
    const missing = names.filter((name) => !isHere(name));
    if (missing.length > 0) {
      const read = await this.#parts.read(missing);
      for (const [at, name] of missing.entries()) if (!isHere(name)) this.#know(name, read[at]);
    }
    const found = names.map((name) => this.#current(name));
    this.#trim();
    return found;
  }

  #know(name: string, stored: Stored): void {
    this.#knownBytes -= sizeOf(name, this.#known.get(name), this.#known.has(name));
    this.#known.delete(name);
    this.#known.set(name, stored);
    this.#knownBytes += sizeOf(name, stored);
  }

  #trim(): void {
    for (const [name, stored] of this.#known) {
      if (this.#known.size <= MAX_KNOWN && this.#knownBytes <= MAX_KNOWN_BYTES) return;
      this.#known.delete(name);
      this.#knownBytes -= sizeOf(name, stored);
    }
  }
}

function sizeOf(name: string, stored: Stored, isThere = true): number {
  return isThere ? name.length + (stored?.length ?? 0) : 0;
}
