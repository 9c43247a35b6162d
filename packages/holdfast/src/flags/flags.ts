/**
 * Feature flags: set once for the whole fleet, evaluated in each process without asking anybody, and pushed to all of them when they change.
 *
 * Promises: a change is one atomic step with a version that is higher than all before it, and noted with who made it and why; a client never goes
 * back to an older flag. The same context draws the same variant in every process, as long as the flag is the same; raising the weight that is
 * named first moves nobody out of it.
 *
 * While the server is away: clients go on with what they know, and say `STALE`; changes wait for it until their deadline and then reject.
 */
import type { Core } from "../core/core.ts";
import { Operations } from "../core/observe/observe.ts";
import { FlagsClient } from "./client.ts";
import { checkDefinition, type FlagDefinition, type FlagValue } from "./definition.ts";
import {
  changing,
  checkFlagName,
  clientOptions,
  type FlagChangeOptions,
  type FlagHistoryOptions,
  type FlagsClientOptions,
  type FlagsOptions,
  flagsSettings,
  remembering,
} from "./options.ts";
import { FlagsStore } from "./store.ts";

/** `conflict`: another version is there, 0 for none. `full`: there are `maxFlags`. Nothing was changed. */
export type FlagSetResult =
  | { readonly status: "ok" | "conflict"; readonly version: number }
  | { readonly status: "full" };

/** `missing`: there is no such flag. */
export type FlagDeleteResult =
  | { readonly status: "ok" | "conflict"; readonly version: number }
  | { readonly status: "missing" };

export interface FlagEntry {
  readonly flag: FlagDefinition;
  readonly version: number;
}

export interface FlagNote {
  readonly name: string;
  /** What it became; undefined: it was deleted. */
  readonly flag: FlagDefinition | undefined;
  readonly version: number;
  /** Milliseconds since 1970, by the server's clock. */
  readonly at: number;
  readonly by: string | undefined;
  readonly why: string | undefined;
}

const ANY_VERSION = -1;

/**
 * @example
 * const flags = hf.flags("web");
 * await flags.set("new-checkout", { variants: { on: true, off: false }, default: { on: 5, off: 95 } }, { by: "ada" });
 * await using live = flags.client();
 * live.value("new-checkout", false, { targetingKey: user.id });
 */
export class Flags {
  readonly name: string;
  readonly #core: Core;
  readonly #operations: Operations;
  readonly #store: FlagsStore;

  constructor(core: Core, name: string, options?: FlagsOptions) {
    this.name = name;
    this.#core = core;
    this.#operations = new Operations("flags", name);
    this.#store = new FlagsStore(core, name, flagsSettings(this.#operations.where, options));
  }

  /**
   * Stores a flag as it is given, in place of what was there. All clients know it within a round trip.
   * Cost: one script; each client reads all flags once.
   * @throws InvalidArgumentError that names the field that is wrong
   * @throws OutcomeUnknownError when no answer came by the deadline: set it again
   */
  set<V extends FlagValue>(
    flag: string,
    definition: FlagDefinition<V>,
    options?: FlagChangeOptions,
  ): Promise<FlagSetResult> {
    return this.#operations.run("set", flag, async () => {
      const { ifVersion = ANY_VERSION, by, why } = changing(options);
      const checked = checkDefinition(definition);
      const note = {
        flag: checkFlagName(flag),
        definition: checked,
        ...(by !== undefined && { by }),
        ...(why !== undefined && { why }),
      };
      return (await this.#store.write({ op: "flags.set", expected: ifVersion, ...note })) as FlagSetResult;
    });
  }

  /** Deletes a flag: code that asks for it gets its fallback. Cost: one script. @throws OutcomeUnknownError as `set` */
  delete(flag: string, options?: FlagChangeOptions): Promise<FlagDeleteResult> {
    return this.#operations.run("delete", flag, async () => {
      const { ifVersion = ANY_VERSION, by, why } = changing(options);
      const note = { flag: checkFlagName(flag), ...(by !== undefined && { by }), ...(why !== undefined && { why }) };
      return (await this.#store.write({ op: "flags.delete", expected: ifVersion, ...note })) as FlagDeleteResult;
    });
  }

  /** Returns a flag as the server has it; undefined where there is none. Cost: HGET. @throws CodecError when it cannot be read */
  get(flag: string): Promise<FlagEntry | undefined> {
    return this.#operations.run("get", flag, async () => {
      const stored = await this.#store.read(checkFlagName(flag), "flags.get");
      return stored && { flag: this.#store.decode(stored), version: stored.version };
    });
  }

  /** Returns all flags by name, in the order of their names. Cost: HGETALL. @throws CodecError when one cannot be read */
  list(): Promise<Map<string, FlagEntry>> {
    return this.#operations.run("list", undefined, async () => {
      const { flags } = await this.#store.readAll("flags.list");
      const sorted = [...flags].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return new Map(
        sorted.map(([name, stored]) => [name, { flag: this.#store.decode(stored), version: stored.version }]),
      );
    });
  }

  /** Returns who changed what, the newest first. Cost: LRANGE per 500 changes that are looked at. */
  history(options?: FlagHistoryOptions): Promise<FlagNote[]> {
    return this.#operations.run("history", undefined, async () => {
      const { flag, limit } = remembering(options);
      const notes: FlagNote[] = [];
      for await (const { flag: name, definition, version, by, why } of this.#store.history("flags.history")) {
        if (flag !== undefined && name !== flag) continue;
        notes.push({ name, flag: definition, version, at: Math.floor(version / 1_000), by, why });
        if (notes.length === limit) break;
      }
      return notes;
    });
  }

  /**
   * Opens what evaluates flags in this process, and follows their changes until it, or the handle, is closed. One for a process is enough.
   * Cost: SUBSCRIBE and HGETALL; HGET and HGETALL per change, HGET per half minute.
   */
  client(options?: FlagsClientOptions): FlagsClient {
    const { where } = this.#operations;
    return new FlagsClient(this.#core, this.#store, where, clientOptions(where, options));
  }
}
