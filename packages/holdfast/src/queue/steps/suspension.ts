/** How a run ends that has steps, otherwise than well or by a failure. */

/** The job waits for a signal, for at most so long. */
export class Parked extends Error {
  override readonly name: string = "Parked";
  readonly signalName: string;
  readonly delayMs: number;

  constructor(signalName: string, delayMs: number) {
    super(`the job waits for the signal ${JSON.stringify(signalName)}`);
    this.signalName = signalName;
    this.delayMs = delayMs;
  }
}

/** Thrown in place of a step that was never done, in a run whose only purpose is to undo the others. */
export class Undoing extends Error {
  override readonly name: string = "Undoing";

  constructor() {
    super("the job was given up: this run only undoes what it has done");
  }
}

/** All that was to be undone has been. */
export class GivenUp extends Error {
  override readonly name: string = "GivenUp";
  /** Where its failures do not say why it was given up. */
  readonly reason: string | undefined;

  constructor(reason: string | undefined) {
    super("the job was given up, and what it did has been undone");
    this.reason = reason;
  }
}

/** What is added to the crashes of a job that was given up and has something to undo: see `lua/include/give-up.lua`. */
export const GIVEN_UP = 1_000_000;

/** Undoing failed: a failure like any other, with attempts of its own. */
export class UndoFailed extends Error {
  override readonly name: string = "UndoFailed";
}
