/**
 * Many calls of one script in one EVALSHA. The server runs the script's body once per item, so a merged call costs one
 * command's overhead (parsing, dispatch, reply, a promise) where single calls pay it for each item.
 */
import type { Arg, Driver, Reply, ScriptSource } from "../../driver/port.ts";
import { HoldfastError, ReplyError } from "../../base/errors.ts";
import { UnexpectedReplyError } from "./decode.ts";
import { classed, decodeReply, itemError, type UnclassedCall } from "./reply.ts";
import type { BatchScript } from "./script.ts";

export interface BatchItem<Keys, Args> {
  readonly keys: Keys;
  readonly args: Args;
  /** The user's name for the key; for error messages only. */
  readonly key?: string | undefined;
  /** Returns the arguments to send again after an attempt that may have been executed was lost; undefined: the same. */
  readonly onRepeat?: (() => Args) | undefined;
}

/** Items in one EVALSHA, unless the script says otherwise: about 1 ms of the server's time, in which it serves nobody else. */
export const MAX_BATCH_ITEMS = 256;
/** An item with a larger value goes alone, so that no merged call grows beyond some megabytes. */
export const MAX_MERGED_BYTES = 16_384;

/** How many items of a script share one EVALSHA at most. */
export function mostOf({ most = MAX_BATCH_ITEMS }: { readonly most?: number }): number {
  return most;
}

/**
 * Runs the script for items whose keys are all in the **same slot**, in their order: one EVALSHA per `mostOf(script)` items.
 *
 * Never rejects: each item's outcome, at its place, is its result or its own error. An item that fails leaves the
 * others alone; what it wrote before its error stays, as it would have in a call of its own. When a whole call fails
 * (deadline, lost connection), that is the outcome of each item in it.
 */
export async function runMerged<Keys, Args, Result>(
  driver: Driver,
  script: BatchScript<Keys, Args, Result>,
  items: readonly BatchItem<Keys, Args>[],
  call: UnclassedCall,
): Promise<(Result | HoldfastError)[]> {
  const most = mostOf(script);
  if (items.length <= most) return new MergedCall(script, items, call).run(driver);
  const merged: MergedCall<Keys, Args, Result>[] = [];
  for (let at = 0; at < items.length; at += most) {
    merged.push(new MergedCall(script, items.slice(at, at + most), call));
  }
  const outcomes = await Promise.all(merged.map((each) => each.run(driver)));
  return new Array<Result | HoldfastError>().concat(...outcomes);
}

class MergedCall<Keys, Args, Result> {
  readonly #script: BatchScript<Keys, Args, Result>;
  readonly #items: readonly BatchItem<Keys, Args>[];
  readonly #call: UnclassedCall;
  readonly #keys: Arg[] = [];
  readonly #args: Arg[] = [];
  /** Places of the items that could be encoded; only they are sent. */
  readonly #sent: number[] = [];
  readonly #outcomes: (Result | HoldfastError)[];

  constructor(script: BatchScript<Keys, Args, Result>, items: readonly BatchItem<Keys, Args>[], call: UnclassedCall) {
    this.#script = script;
    this.#items = items;
    this.#call = call;
    this.#outcomes = Array.from({ length: items.length });
  }

  async run(driver: Driver): Promise<(Result | HoldfastError)[]> {
    const shared = this.#argsAreShared();
    for (let index = 0; index < this.#items.length; index += 1) this.#encode(index, shared && this.#args.length > 0);
    const count = this.#sent.length;
    if (count === 0) return this.#outcomes;
    try {
      if (count === 1) this.#settle([0, await this.#send(driver, this.#script)]);
      else this.#settle(this.#checked(await this.#send(driver, this.#script.merged)));
    } catch (error) {
      const failure = asHoldfastError(error);
      for (const index of this.#sent) this.#outcomes[index] = failure;
    }
    return this.#outcomes;
  }

  /** By identity, which costs next to nothing: a primitive whose calls differ in their keys alone shares one object. */
  #argsAreShared(): boolean {
    const items = this.#items;
    for (let at = 1; at < items.length; at += 1) if (items[at]!.args !== items[0]!.args) return false;
    return true;
  }

  /** An item that cannot be encoded is taken out again, so that the keys and arguments of the others stay aligned. */
  #encode(index: number, argsAreThere: boolean): void {
    const { keys, args } = this.#items[index]!;
    const keysBefore = this.#keys.length;
    const argsBefore = this.#args.length;
    try {
      this.#script.encodeKeys(keys, this.#keys);
      if (!argsAreThere) this.#script.encodeArgs(args, this.#args);
      this.#sent.push(index);
    } catch (error) {
      this.#keys.length = keysBefore;
      this.#args.length = argsBefore;
      this.#outcomes[index] = asHoldfastError(error);
    }
  }

  #send(driver: Driver, form: ScriptSource): Promise<Reply> {
    const key = this.#sent.length === 1 ? this.#items[this.#sent[0]!]!.key : this.#call.key;
    const changes = this.#items.some((item) => item.onRepeat !== undefined);
    const onRepeat = changes ? (): Arg[] => this.#argsAgain() : undefined;
    return driver.script(form, this.#keys, this.#args, classed(this.#script.class, { ...this.#call, key }, onRepeat));
  }

  #argsAgain(): Arg[] {
    const args: Arg[] = [];
    for (const index of this.#sent) {
      const item = this.#items[index]!;
      this.#script.encodeArgs(item.onRepeat?.() ?? item.args, args);
    }
    return args;
  }

  #checked(reply: Reply): Reply[] {
    if (Array.isArray(reply) && reply.length === this.#sent.length * 2) return reply;
    const expected = `two elements for each of ${this.#sent.length} items`;
    const cause = new UnexpectedReplyError(expected, reply);
    const { op } = this.#call;
    throw new ReplyError(`${op}: script ${this.#script.merged.name}: ${cause.message}`, { op, cause });
  }

  #settle(flat: readonly Reply[]): void {
    for (let position = 0; position < this.#sent.length; position += 1) {
      const index = this.#sent[position]!;
      this.#outcomes[index] = this.#outcome(flat[position * 2] === 0, flat[position * 2 + 1]!, this.#items[index]!.key);
    }
  }

  #outcome(ok: boolean, reply: Reply, key: string | undefined): Result | HoldfastError {
    const { op } = this.#call;
    try {
      return ok ? decodeReply(this.#script, reply, op, key) : itemError(this.#script, reply, op, key);
    } catch (error) {
      return asHoldfastError(error);
    }
  }
}

/** Whatever a driver or an encoder throws is one already; anything else is our bug and is reported as it is. */
export function asHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  return new HoldfastError("SERVER", error instanceof Error ? error.message : String(error), { cause: error });
}
