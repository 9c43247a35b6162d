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
    this.timer = this.engine.setTimer(this.untilMs - this.engine.clock.nowMs(), () => this.end());
  }

  /** Lets the postponed commands run, in the order in which they came; after a script among them that becomes busy, the rest. */
  end(): void {
    this.timer?.cancel();
    this.timer = undefined;
    for (const session of Array.from(this.postponed)) {
      if (this.engine.busy.active) return this.engine.busy.afterwards(() => this.end());
      this.postponed.delete(session);
      const args = session.postponed;
      session.postponed = undefined;
      if (args === undefined) continue;
      session.execute(args);
      if (!session.isBlocked) session.outlet.resume();
    }
  }

  /** Whether this command must wait. A queued command waits with its EXEC. */
  holdsBack(session: Session, command: Command): boolean {
    if (this.timer === undefined) return false;
    if (this.mode === "all") return true;
    if (command.name === "exec")
      return session.transaction?.queue.some((queued) => queued.command.mayReplicate) ?? false;
    return command.mayReplicate;
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
