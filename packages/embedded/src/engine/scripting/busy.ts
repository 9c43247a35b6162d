/**
 * A script or function that runs for longer than `busy-reply-threshold`: it goes on in slices, and between them the others are
 * heard, though all but a few commands are refused. For the data no time passes meanwhile: no key expires, no wait ends.
 */
import { system } from "../../base/system.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Command } from "../command.ts";
import type { Engine } from "../engine.ts";
import { fail, guarded, replyTo } from "../../base/errors.ts";
import { type HostReply, PausedScript, ScriptInterrupt, type ScriptLimits } from "../../lua/engine.ts";
import { BLOCKED, type Blocked, ErrorReply, type Reply } from "../../base/reply.ts";
import { fromHost } from "./replies.ts";

/** How long others wait to be heard, about. */
const SLICE_MS = 5;
/** A script that can pause does so when asked for the first or second time. */
const PATIENCE = 3;
/** How long others are not heard after the threshold before a script that cannot pause is ended. */
const STUCK_MS = 1000;

const BUSY_SCRIPT = new ErrorReply(
  "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
);
const BUSY_FUNCTION = new ErrorReply(
  "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.",
);
const NOT_BUSY = "NOTBUSY No scripts in execution right now.";
const UNKILLABLE =
  "UNKILLABLE Sorry the script already executed write commands against the dataset. " +
  "You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.";
const KILLED = "ERR Script killed by user with SCRIPT KILL...";
const STUCK =
  "ERR Script ended after busy-reply-threshold, inside a function called by a library, where the embedded server cannot pause it";

/**
 * Says when a run is to pause: asked each time a budget of the script is used up, the first time after less than a millisecond.
 * From then on it measures, so that short scripts need not look at the time; the process's own, also under a virtual clock.
 */
export class RunTimer implements ScriptLimits {
  /** Of the run, known once the time has been looked at. */
  startedAtMs = 0;
  #thresholdMs = 0;
  /** 0 before the first look at the time. */
  #pauseAtMs = 0;
  /** Since when, and how often, it was asked to pause without having done so. */
  #wantedAtMs = 0;
  #wanted = 0;

  /** @param thresholdMs milliseconds until the first pause */
  beginRun(thresholdMs: number): void {
    this.#thresholdMs = thresholdMs;
    this.#pauseAtMs = 0;
    this.#wanted = 0;
  }

  beginSlice(): void {
    this.#pauseAtMs = system.monotonicMs() + SLICE_MS;
    this.#wanted = 0;
  }

  pause(): boolean {
    const now = system.monotonicMs();
    if (this.#pauseAtMs === 0) {
      this.startedAtMs = now;
      this.#pauseAtMs = now + this.#thresholdMs;
    }
    if (now < this.#pauseAtMs) return false;
    if (this.#wanted++ === 0) this.#wantedAtMs = now;
    if (this.#wanted > PATIENCE && now - this.#wantedAtMs > STUCK_MS) throw new ScriptInterrupt(STUCK);
    return true;
  }
}

export interface BusyRun {
  readonly kind: "script" | "function";
  readonly name: string;
  readonly command: readonly string[];
  /** The client that waits for the result, and the keys it declared. */
  readonly caller: NonNullable<Engine["caller"]>;
  readonly timer: RunTimer;
  readonly paused: PausedScript;
  hasWritten(): boolean;
}

interface ActiveRun extends BusyRun {
  /** The time that its commands see. */
  readonly nowMs: number;
  /** What becomes of its reply: inside EXEC, a part of another. */
  complete: (reply: Reply) => Reply | Blocked;
  next: NodeJS.Immediate;
  killed: boolean;
}

export class Busy {
  readonly #engine: Engine;
  #run: ActiveRun | undefined;
  readonly #due: (() => void)[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get active(): boolean {
    return this.#run !== undefined;
  }

  /** A script has paused for the first time. */
  begin(run: BusyRun): Blocked {
    this.#run = {
      ...run,
      nowMs: this.#engine.nowMs,
      complete: (reply) => reply,
      next: system.setImmediate(() => this.#slice()),
      killed: false,
    };
    run.caller.session.inBusyRun = true;
    return BLOCKED;
  }

  /** The reply that the active run will have becomes another one, or leads to a further wait. */
  andThen(complete: (reply: Reply) => Reply | Blocked): Blocked {
    if (this.#run !== undefined) this.#run.complete = complete;
    return BLOCKED;
  }

  /** What a command that must wait for the end of the script is answered. */
  refusal(command: Command): ErrorReply | undefined {
    return this.#run === undefined || command.flags.includes("allow_busy") ? undefined : this.#error(this.#run);
  }

  /** The busy function, for FUNCTION STATS, which a busy script makes wait. */
  runningFunction():
    | { readonly name: string; readonly command: readonly string[]; readonly durationMs: number }
    | undefined {
    const run = this.#run;
    if (run === undefined) return undefined;
    if (run.kind === "script") return fail(this.#error(run).message);
    return {
      name: run.name,
      command: run.command,
      durationMs: Math.trunc(system.monotonicMs() - run.timer.startedAtMs),
    };
  }

  /** SHUTDOWN with a save would save what the script has half done. */
  refuseShutdown(): void {
    if (this.#run !== undefined) fail(this.#error(this.#run).message);
  }

  /** SCRIPT KILL and FUNCTION KILL. */
  kill(kind: BusyRun["kind"]): void {
    const run = this.#run;
    if (run === undefined) return fail(NOT_BUSY);
    if (run.hasWritten()) fail(UNKILLABLE);
    if (run.kind !== kind) fail(this.#error(run).message);
    run.killed = true;
  }

  /** While a script is busy: what is to be done at its end. */
  afterwards(work: () => void): void {
    this.#due.push(work);
  }

  /** A timer of the server: what falls due while a script is busy comes after its end. */
  setTimer(clock: Clock, delayMs: number, task: () => void): Timer {
    let cancelled = false;
    const work = (): void => {
      if (!cancelled) guarded("a timer", task);
    };
    const timer = clock.setTimer(delayMs, () => {
      if (this.active) this.afterwards(work);
      else work();
    });
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  /** The server ends, and the script with it. */
  close(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#leave(run);
    system.clearImmediate(run.next);
    this.#due.length = 0;
    run.paused.interrupt(new ScriptInterrupt(KILLED));
  }

  #error({ kind }: ActiveRun): ErrorReply {
    return kind === "script" ? BUSY_SCRIPT : BUSY_FUNCTION;
  }

  #slice(): void {
    const run = this.#run;
    if (run === undefined) return;
    const outcome = this.#asCaller(run, () => goOn(run));
    if (outcome instanceof PausedScript) run.next = system.setImmediate(() => this.#slice());
    else guarded("the end of a script", () => this.#end(run, fromHost(outcome)));
    this.#engine.current = undefined;
  }

  /** What the host throws ends the run, as it would have ended the command. */
  #asCaller(run: ActiveRun, work: () => HostReply | PausedScript): HostReply | PausedScript {
    const engine = this.#engine;
    engine.nowMs = run.nowMs;
    engine.current = run.caller.session;
    engine.caller = run.caller;
    try {
      return work();
    } catch (error) {
      return { type: "error", value: replyTo(error, run.caller.session.lastCommand).message };
    } finally {
      engine.caller = undefined;
    }
  }

  #leave({ caller }: ActiveRun): void {
    this.#run = undefined;
    caller.session.inBusyRun = false;
  }

  #end(run: ActiveRun, result: Reply): void {
    const { session } = run.caller;
    this.#leave(run);
    if (result instanceof ErrorReply) this.#engine.stats.failed(session.lastCommand, result);
    const reply = run.complete(result);
    // The rest of a transaction may have become busy again.
    if (reply === BLOCKED) return;
    session.answer(reply);
    this.#engine.afterCommand(session);
    if (!session.closed) session.outlet.resume();
    // One of them may let a client's script run, and that may become busy.
    while (!this.active && this.#due.length > 0) this.#due.shift()?.();
  }
}

function goOn(run: ActiveRun): HostReply | PausedScript {
  if (run.killed) return run.paused.interrupt(new ScriptInterrupt(KILLED));
  run.timer.beginSlice();
  return run.paused.resume();
}
