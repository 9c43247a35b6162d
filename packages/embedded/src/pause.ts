/** CLIENT PAUSE: commands wait, unanswered, until the pause is over. */
import type { Timer } from "./clock.ts";
import type { Command } from "./commands/registry.ts";
import type { Engine } from "./engine.ts";
import type { Session } from "./session.ts";

export type PauseMode = "all" | "write";

export class Pause {
  private readonly engine: Engine;
  private untilMs = 0;
  private mode: PauseMode = "all";
  private timer: Timer | undefined;
  private readonly postponed = new Set<Session>();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  get active(): boolean {
    return this.timer !== undefined;
  }

  get postponedCount(): number {
    return this.postponed.size;
  }

  /** The later end and the stricter mode win over a pause already there. */
  start(untilMs: number, mode: PauseMode): void {
    this.mode = this.active && this.mode === "all" ? "all" : mode;
    this.untilMs = Math.max(this.active ? this.untilMs : 0, untilMs);
    this.timer?.cancel();
    this.timer = this.engine.clock.setTimer(this.untilMs - this.engine.clock.nowMs(), () => this.end());
  }

  /**
   * Lets the postponed commands run, once the command that ends the pause is over: client by client in the order in which they
   * came, each with everything that it sent meanwhile. One of them may begin the next pause.
   */
  end(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const sessions = [...this.postponed];
    this.postponed.clear();
    queueMicrotask(() => goOn(sessions));
  }

  /** Whether this command must wait. A queued command waits with its EXEC. */
  holdsBack(session: Session, command: Command, args: readonly string[]): boolean {
    if (this.timer === undefined) return false;
    if (this.mode === "all") return true;
    if (command.name === "exec") {
      return session.transaction?.queue.some((queued) => queued.command.mayReplicate) ?? false;
    }
    return command.mayReplicate && !session.engine.scripts.declaresNoWrites(command.name, args[1] ?? "");
  }

  postpone(session: Session, args: readonly string[]): void {
    session.postponed = args;
    this.postponed.add(session);
  }

  forget(session: Session): void {
    this.postponed.delete(session);
  }

  close(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.postponed.clear();
  }
}

/** A session resumes within a microtask; the next one comes after it. */
function goOn(sessions: Session[]): void {
  const session = sessions.shift();
  if (session === undefined) return;
  const args = session.postponed;
  session.postponed = undefined;
  if (args !== undefined) {
    session.execute(args);
    if (!session.isBlocked) session.outlet.resume();
  }
  queueMicrotask(() => goOn(sessions));
}
