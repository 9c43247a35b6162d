/**
 * What a job remembers of itself over its runs, so that a run after a failure, a crash or a wait goes on where the last one stopped.
 *
 * Each call has a name. Fields of the job's hash: `s<name>` the result of a step; `c<name>` that it can be undone, by its place; `d<name>` that
 * it was; `z<name>` the time until which it sleeps or waits; `x<name>` that it went on without the signal; `g<name>` a signal; `i<name>` a
 * cursor; `u` there is something to undo; `!` the job was given up (and why), and what is left is to undo. What can go wrong:
 *
 * - the process dies after a step's effect and before it is remembered: the step runs again (at least once, as the job);
 * - the job is another worker's by then: nothing is remembered, and the run ends with a LeaseLostError;
 * - the process dies while it undoes: `!` is there, and the next run goes on with that.
 */
import { InvalidArgumentError, LeaseLostError } from "../../base/errors.ts";
import { type Duration, toMs } from "../../base/options.ts";
import type { Runtime } from "../../base/runtime.ts";
import { Snooze } from "../failure.ts";
import { checkName } from "../check-name.ts";
import type { StepStore, StepWriter } from "./step-store.ts";
import { GivenUp, Parked, UndoFailed, Undoing } from "./suspension.ts";

/** `expired`: it did not come in time. */
export type QueueSignalResult<Value> =
  | { readonly status: "ok"; readonly value: Value }
  | { readonly status: "expired" };

/** Pairs of a cursor behind an item and the item, from after the cursor on; from the start without one. */
export type QueueSource<Cursor, Item> = (
  after: Cursor | undefined,
) => AsyncIterable<readonly [Cursor, Item]> | Iterable<readonly [Cursor, Item]>;

export interface StepValues {
  encode(value: unknown): Buffer;
  decode(bytes: Buffer): unknown;
}

/** What a run is to its steps. */
export interface SteppedRun {
  readonly id: string;
  readonly fence: number;
  readonly signal: AbortSignal;
  /** Its worker closes. */
  readonly isToStop: boolean;
  /** It only undoes what its job has done. */
  readonly isGivenUp: boolean;
  readonly suspended: Error | undefined;
  suspend<Reason extends Error>(reason: Reason): Reason;
}

export interface StepsParts {
  readonly run: SteppedRun;
  readonly writer: StepWriter;
  readonly store: StepStore;
  readonly values: StepValues;
  readonly runtime: Runtime;
}

const FLAG = Buffer.from("1");
const SAVE_EVERY_MS = 1_000;
/** A thousand years. */
const FOR_EVER_MS = 31_536_000_000_000;

interface Undo {
  readonly name: string;
  readonly act: () => unknown;
}

export class Steps {
  readonly #parts: StepsParts;
  /** Of a run that has called one of them. */
  #stored: Promise<Map<string, Buffer>> | undefined;
  readonly #called = new Set<string>();
  readonly #undos: Undo[] = [];

  constructor(parts: StepsParts) {
    this.#parts = parts;
  }

  async step<T>(name: string, act: () => T | Promise<T>): Promise<T> {
    const field = this.#field("s", name);
    const known = (await this.#load()).get(field);
    if (known !== undefined) return this.#parts.values.decode(known) as T;
    await this.refuseWhileUndoing();
    const bytes = this.#parts.values.encode(await act());
    await this.#save(field, bytes);
    return this.#parts.values.decode(bytes) as T;
  }

  async compensate(name: string, act: () => unknown): Promise<void> {
    const field = this.#field("c", name);
    const stored = await this.#load();
    if (!stored.has(field)) await this.refuseWhileUndoing();
    this.#undos.push({ name, act });
    if (stored.has(field)) return;
    await this.#save("u", FLAG);
    await this.#save(field, FLAG);
  }

  async sleep(name: string, delay: Duration): Promise<void> {
    const delayMs = toMs("delay", delay, 0);
    const untilMs = await this.#until(this.#field("z", name), delayMs);
    if (untilMs > this.#claimedAt) throw this.#parts.run.suspend(new Snooze(untilMs - this.#claimedAt));
  }

  async waitFor<T>(name: string, timeout: Duration | undefined): Promise<QueueSignalResult<T>> {
    const timeoutMs = timeout === undefined ? FOR_EVER_MS : toMs("timeout", timeout, 0);
    const field = this.#field("z", name);
    const stored = await this.#load();
    if (stored.has(`x${name}`)) return { status: "expired" };
    const signal = stored.get(`g${name}`);
    if (signal !== undefined) return { status: "ok", value: this.#parts.values.decode(signal) as T };
    const untilMs = await this.#until(field, timeoutMs);
    if (untilMs <= this.#claimedAt) {
      await this.refuseWhileUndoing();
      // A signal that comes later does not change what later runs do.
      await this.#save(`x${name}`, FLAG);
      return { status: "expired" };
    }
    throw this.#parts.run.suspend(new Parked(name, untilMs - this.#claimedAt));
  }

  async iterate<Cursor, Item>(
    name: string,
    source: QueueSource<Cursor, Item>,
    each: (item: Item) => unknown,
  ): Promise<void> {
    const field = this.#field("i", name);
    const known = (await this.#load()).get(field);
    const { values, runtime, run } = this.#parts;
    let at =
      known === undefined ? undefined : (values.decode(known) as { readonly after?: Cursor; readonly end?: true });
    if (at?.end === true) return;
    await this.refuseWhileUndoing();
    const from = at?.after;
    let savedAt = runtime.now();
    const save = async (): Promise<void> => {
      savedAt = runtime.now();
      if (at !== undefined) await this.#save(field, values.encode(at));
    };
    try {
      for await (const [after, item] of source(from)) {
        await each(item);
        at = { after };
        if (run.signal.aborted) throw run.signal.reason;
        if (run.isToStop) throw run.suspend(new Snooze(0));
        if (runtime.now() - savedAt >= SAVE_EVERY_MS) await save();
      }
    } catch (error) {
      // Only so that less is done again: what counts is the error.
      if (!run.signal.aborted) await save().catch(() => undefined);
      throw error;
    }
    at = { end: true };
    await save();
  }

  /** Where the job was given up: undoes what is to be undone, the last first. @throws GivenUp when that is done; UndoFailed */
  async undoIfGivenUp(): Promise<void> {
    if (this.#stored === undefined && !this.#parts.run.isGivenUp) return;
    const stored = await this.#load();
    if (!this.#isGivenUp(stored)) return;
    for (const { name, act } of this.#undos.toReversed()) {
      if (stored.has(`d${name}`)) continue;
      try {
        await act();
      } catch (cause) {
        throw new UndoFailed(`the job was given up, and undoing ${JSON.stringify(name)} failed: ${wordsOf(cause)}`, {
          cause,
        });
      }
      await this.#save(`d${name}`, FLAG);
    }
    const missed = [...stored.keys()].find((field) => field.startsWith("c") && !stored.has(`d${field.slice(1)}`));
    if (missed !== undefined) {
      const name = JSON.stringify(missed.slice(1));
      throw new UndoFailed(`the job was given up, and the handler did not come to what undoes ${name}`);
    }
    throw new GivenUp(stored.get("!")?.toString() || undefined);
  }

  /** What is not remembered yet ends a run that only undoes. @throws Undoing */
  async refuseWhileUndoing(): Promise<void> {
    if (this.#isGivenUp(await this.#load())) throw new Undoing();
  }

  /** Takes a name for what is remembered elsewhere. */
  take(letter: string, name: string): void {
    this.#field(letter, name);
  }

  /** The server's time of this run's claim, in milliseconds. */
  get #claimedAt(): number {
    return Math.floor(this.#parts.run.fence / 1_000);
  }

  async #until(field: string, delayMs: number): Promise<number> {
    let known = (await this.#load()).get(field);
    if (known === undefined) {
      await this.refuseWhileUndoing();
      this.#checkHeld(await this.#parts.store.saveTime(this.#parts.writer, field, delayMs));
      known = Buffer.from(String(this.#claimedAt + delayMs));
      (await this.#load()).set(field, known);
    }
    return Number(known.toString());
  }

  async #save(field: string, value: Buffer): Promise<void> {
    this.#checkHeld(await this.#parts.store.save(this.#parts.writer, field, value));
    (await this.#load()).set(field, value);
  }

  #checkHeld(isHeld: boolean): void {
    if (isHeld) return;
    const { id } = this.#parts.run;
    throw new LeaseLostError("expired", `job ${id}: it was given to another worker`, { op: "queue.step", key: id });
  }

  #load(): Promise<Map<string, Buffer>> {
    this.#stored ??= this.#parts.store.load(this.#parts.run.id).catch((error: unknown) => {
      this.#stored = undefined;
      throw error;
    });
    return this.#stored;
  }

  #isGivenUp(stored: ReadonlyMap<string, Buffer>): boolean {
    return this.#parts.run.isGivenUp || stored.has("!");
  }

  /** One name is one thing in a run, and a run that is to end does nothing more. */
  #field(letter: string, name: string): string {
    const field = letter + checkName("name", name);
    if (this.#parts.run.suspended !== undefined) throw this.#parts.run.suspended;
    if (this.#called.has(field))
      throw new InvalidArgumentError("name", "another name than an earlier call's of this run", name);
    this.#called.add(field);
    return field;
  }
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "it threw something else than an error";
}
