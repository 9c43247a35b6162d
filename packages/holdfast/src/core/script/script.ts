/** What the generator writes for one `.lua` file, and what `run.ts` makes of it. The format: docs/scripts.md. */
import type { Arg, OpClass, Reply, ScriptSource } from "../../driver/port.ts";

/** A Lua script with its types: named keys and arguments go in, a decoded result comes out. */
export interface Script<Keys, Args, Result> extends ScriptSource {
  readonly class: OpClass;
  /** Appends the keys in the order the script reads them. */
  encodeKeys(keys: Keys, out: Arg[]): void;
  /** Appends the arguments; throws InvalidArgumentError for a number that Lua would read as something else. */
  encodeArgs(args: Args, out: Arg[]): void;
  /** Throws UnexpectedReplyError for a reply that the script's header does not allow. */
  decode(reply: Reply): Result;
}

/** A script that also exists in a form which runs it for many items in one call (`-- @batch`). */
export interface BatchScript<Keys, Args, Result> extends Script<Keys, Args, Result> {
  /**
   * Takes the keys of all items, one item after the other, and the same of their arguments, or the arguments that all
   * share once. Returns two elements per item: 0 and the
   * item's reply, or 1 and the text of its error.
   */
  readonly merged: ScriptSource;
  /** Items in one call, where the script says so: about 1 ms of the server's time. @default MAX_BATCH_ITEMS */
  readonly most?: number;
}

/** A script without keys, or without arguments: `{}`. */
export type None = Readonly<Record<string, never>>;
