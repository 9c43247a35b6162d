/** CLIENT PAUSE: commands wait, unanswered, until the pause is over. */
import { system } from "../base/system.ts";
import type { Timer } from "../base/clock.ts";
import type { Command } from "./command.ts";
import type { Engine } from "./engine.ts";
import type { Session } from "./session.ts";

export type PauseMode = "all" | "write";

export class Pause {
  readonly #engine: Engine;
  #untilMs = 0;
  #mode: PauseMode = "all";
  #timer: Timer | undefined;
  readonly #postponed = new Set<Session>();
  /** Those which the end of a pause, or a command of one of them, lets go on, in this order; undefined when that is done. */
  #goingOn: Session[] | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get active(): boolean {
    return this.#timer !== undefined;
  }

  get postponedCount(): number {
    return this.#postponed.size;
  }

  /** The later end and the stricter mode win over a pause already there. */
  start(untilMs: number, mode: PauseMode): void {
    this.#mode = this.active && this.#mode === "all" ? "all" : mode;
    this.#untilMs = Math.max(this.active ? this.#untilMs : 0, untilMs);
    this.#timer?.cancel();
    this.#timer = this.#engine.setTimer(this.#untilMs - this.#engine.clock.nowMs(), () => this.end());
  }

  /**
   * Lets the postponed commands run, once the command that ends the pause is over: client by client in the order in which they
   * came, each with everything that it sent meanwhile. One of them may begin the next pause.
   */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const isRunning = this.#goingOn !== undefined;
    this.#goingOn = [...(this.#goingOn ?? []), ...this.#postponed];
    this.#postponed.clear();
    if (!isRunning) system.queueMicrotask(() => this.#goOn());
  }

  /** A session resumes within a microtask; the next one comes after it, and after a script that it makes busy. */
  #goOn(): void {
    if (this.#engine.busy.active) return this.#engine.busy.afterwards(() => this.#goOn());
    const session = this.#goingOn?.shift();
    if (session === undefined) {
      this.#goingOn = undefined;
      return;
    }
    const args = session.postponed;
    session.postponed = undefined;
    if (args !== undefined) session.execute(args);
    if (!session.isBlocked && !session.closed) session.outlet.resume();
    system.queueMicrotask(() => this.#goOn());
  }

  /** For a session that no longer waits for a key: it goes on after those which were held back before. */
  resume(session: Session): void {
    if (this.#goingOn === undefined) session.outlet.resume();
    else this.#goingOn.push(session);
  }

  /** Whether this command must wait. A queued command waits with its EXEC. */
  holdsBack(session: Session, command: Command, args: readonly string[]): boolean {
    if (this.#timer === undefined) return false;
    if (this.#mode === "all") return true;
    if (command.name === "exec") return session.transaction?.mayReplicate ?? false;
    return session.engine.scripts.mayReplicate(command, args);
  }

  postpone(session: Session, args: readonly string[]): void {
    session.postponed = args;
    this.#postponed.add(session);
  }

  forget(session: Session): void {
    this.#postponed.delete(session);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#postponed.clear();
  }
}
