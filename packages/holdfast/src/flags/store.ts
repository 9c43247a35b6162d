/** The server's side of a set of flags. */
import { InvalidArgumentError } from "../base/errors.ts";
import { listOf as bulksOf } from "../core/command/reply.ts";
import type { Codec } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import { runScript } from "../core/script/run.ts";
import { unknownAfterRepeat } from "../core/update/compare-and-set.ts";
import type { FlagDefinition } from "./definition.ts";
import type { FlagsSettings } from "./options.ts";
import { write, type WriteResult } from "./scripts.gen.ts";

/** A flag as it lies there. */
export interface StoredFlag {
  readonly version: number;
  readonly bytes: Buffer;
}

/** All flags, and the version of the last write: 0 where there was none. */
export interface StoredFlags {
  readonly version: number;
  readonly flags: ReadonlyMap<string, StoredFlag>;
}

/** What was done, for the history. */
export interface Note {
  readonly flag: string;
  /** Undefined: it was deleted. */
  readonly definition?: FlagDefinition;
  readonly by?: string;
  readonly why?: string;
}

export interface FlagWrite extends Note {
  readonly op: string;
  /** -1: whatever is there. */
  readonly expected: number;
}

const NOTHING: Buffer = Buffer.alloc(0);
const LINE_END = 10;
/** Of a flag: each client reads all of them at each change. */
const MAX_BYTES = 65_536;
/** Of the history, read at once. */
const CHUNK = 500;

export class FlagsStore {
  readonly name: string;
  /** On which every change is announced. */
  readonly channel: string;
  readonly timeoutMs: number;
  readonly #core: Core;
  readonly #settings: FlagsSettings;
  readonly #codec: Codec<FlagDefinition>;
  readonly #notes: Codec<Note>;
  readonly #flags: string;
  readonly #history: string;

  constructor(core: Core, name: string, settings: FlagsSettings) {
    const keys = core.keys.group("flags", name);
    this.name = name;
    this.channel = core.keys.channel("flags", name);
    this.timeoutMs = settings.timeoutMs ?? core.driver.timeoutMs;
    this.#core = core;
    this.#settings = settings;
    this.#codec = core.codec<FlagDefinition>({});
    this.#notes = core.codec<Note>({});
    this.#flags = keys.key;
    this.#history = keys.part("history");
  }

  /** Cost: HGET, and HGETALL where the version is another than `known`: undefined where it is not. */
  async readUnless(known: number, op: string): Promise<StoredFlags | undefined> {
    const version = await this.#send(["HGET", this.#flags, "version"], op);
    if (Number(version ?? 0) === known) return undefined;
    return this.readAll(op);
  }

  /** Cost: HGETALL. */
  async readAll(op: string): Promise<StoredFlags> {
    const reply = bulksOf(await this.#send(["HGETALL", this.#flags], op), op, this.name) as Buffer[];
    const flags = new Map<string, StoredFlag>();
    let version = 0;
    for (let at = 0; at < reply.length; at += 2) {
      const field = reply[at]!.toString();
      if (field === "version") version = Number(reply[at + 1]);
      else if (field.startsWith("=")) flags.set(field.slice(1), storedOf(reply[at + 1]!));
    }
    return { version, flags };
  }

  /** Cost: HGET. */
  async read(flag: string, op: string): Promise<StoredFlag | undefined> {
    const found = (await this.#send(["HGET", this.#flags, `=${flag}`], op)) as Buffer | null;
    return found === null ? undefined : storedOf(found);
  }

  /** The newest first. Cost: LRANGE per 500 that are looked at. */
  async *history(op: string): AsyncGenerator<Note & { readonly version: number }> {
    let last: number | undefined;
    for (let from = 0; from < this.#settings.maxHistory; from += CHUNK) {
      const reply = await this.#send(["LRANGE", this.#history, String(from), String(from + CHUNK - 1)], op);
      const chunk = bulksOf(reply, op, this.name) as Buffer[];
      const stored = chunk.map(storedOf);
      // Changes that were made meanwhile have moved those that were read: some of them come again.
      const again = stored.findIndex(({ version }) => version === last);
      for (const { version, bytes } of stored.slice(again + 1))
        yield { ...this.#notes.decode(bytes, { aad: this.#history }), version };
      last = stored.at(-1)?.version;
      if (chunk.length < CHUNK) return;
    }
  }

  /** @throws OutcomeUnknownError for a write whose answer was lost and which may have been forgotten */
  async write({ op, expected, ...note }: FlagWrite): Promise<Exclude<WriteResult, { status: "forgotten" }>> {
    const { driver } = this.#core;
    const { maxFlags, maxHistory } = this.#settings;
    const { definition, flag } = note;
    const payload = definition === undefined ? NOTHING : this.#codec.encode(definition, { aad: this.#flags });
    if (payload.length > MAX_BYTES)
      throw new InvalidArgumentError("flag", `a definition of at most ${MAX_BYTES} bytes`, payload.length);
    const args = {
      // By its random id the server recognises a write that is sent again.
      opId: driver.runtime.randomBytes(6).toString("base64url"),
      againMs: 0,
      expected,
      erase: definition === undefined,
      flag,
      payload,
      note: this.#notes.encode(note, { aad: this.#history }),
      maxFlags,
      maxNotes: maxHistory,
      channel: this.channel,
    };
    const call = { op, key: this.name, timeoutMs: this.timeoutMs };
    const again = (): typeof args => ({ ...args, againMs: this.timeoutMs });
    const keys = { flags: this.#flags, history: this.#history };
    const result = await runScript(driver, write, keys, args, call, again);
    if (result.status === "forgotten") throw unknownAfterRepeat(op, this.name);
    return result;
  }

  /** @throws CodecError */
  decode({ bytes }: StoredFlag): FlagDefinition {
    return this.#codec.decode(bytes, { aad: this.#flags });
  }

  #send(args: readonly string[], op: string): ReturnType<Core["driver"]["send"]> {
    const call = { op, key: this.name, class: "read", timeoutMs: this.timeoutMs } as const;
    return this.#core.driver.send(args, call, args[1]);
  }
}

function storedOf(record: Buffer): StoredFlag {
  const end = record.indexOf(LINE_END);
  return { version: Number(record.toString("latin1", 0, end)), bytes: record.subarray(end + 1) };
}
