/** What the commands of a borrower have left behind on a connection. */
import type { Arg, Reply } from "../port.ts";

/** After these a connection is not what it was, and no command brings it back for certain. */
const SPOILING: ReadonlySet<string> = new Set([
  "ASKING",
  "AUTH",
  "CLIENT",
  "HELLO",
  "MONITOR",
  "PSUBSCRIBE",
  "QUIT",
  "READONLY",
  "READWRITE",
  "RESET",
  "SELECT",
  "SSUBSCRIBE",
  "SUBSCRIBE",
]);

export class SessionState {
  /** What is sent now waits for EXEC. */
  get inMulti(): boolean {
    return this.#inMulti;
  }

  #unanswered = 0;
  #watching = false;
  #inMulti = false;
  #spoiled = false;

  track(args: readonly Arg[], reply: Promise<Reply>): Promise<Reply> {
    this.#note(String(args[0]).toUpperCase());
    this.#unanswered += 1;
    const settled = (): void => {
      this.#unanswered -= 1;
    };
    reply.then(settled, settled);
    return reply;
  }

  /** The command that makes the connection clean; undefined where it is. A reply under way cannot be called back. */
  cleanUp(): "UNWATCH" | "DISCARD" | "impossible" | undefined {
    if (this.#spoiled || this.#unanswered > 0) return "impossible";
    if (this.#inMulti) return "DISCARD";
    return this.#watching ? "UNWATCH" : undefined;
  }

  #note(command: string): void {
    if (command === "WATCH") this.#watching = true;
    else if (command === "MULTI") this.#inMulti = true;
    else if (command === "EXEC" || command === "DISCARD") this.#inMulti = this.#watching = false;
    else if (command === "UNWATCH") this.#watching &&= this.#inMulti;
    else if (SPOILING.has(command)) this.#spoiled = true;
  }
}
