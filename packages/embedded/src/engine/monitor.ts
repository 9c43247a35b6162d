/** MONITOR: every command, as it runs, to those who asked for it. Administrative commands and passwords are not shown. */
import type { Command } from "./command.ts";
import { Status } from "../base/reply.ts";
import type { Session } from "./session.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\x07": "\\a",
  "\b": "\\b",
};

export class Monitors {
  readonly #sessions = new Set<Session>();

  get active(): boolean {
    return this.#sessions.size > 0;
  }

  add(session: Session): void {
    this.#sessions.add(session);
  }

  delete(session: Session): void {
    this.#sessions.delete(session);
  }

  feed(session: Session, command: Command, args: readonly string[]): void {
    if (command.flags.includes("admin")) return;
    const micros = session.engine.clock.nowMicros();
    const time = `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, "0")}`;
    const from = session.isScript ? "lua" : session.outlet.address;
    const words = redacted(command, args).map(quoted).join(" ");
    const line = new Status(`${time} [${session.db.index} ${from}] ${words}`);
    for (const monitor of this.#sessions) monitor.push(line);
  }
}

function redacted(command: Command, args: readonly string[]): readonly string[] {
  if (command.name === "auth") return args.map((arg, i) => (i === 0 ? arg : "(redacted)"));
  if (command.name !== "hello") return args;
  const auth = args.findIndex((arg, i) => i > 1 && arg.toUpperCase() === "AUTH");
  return auth === -1 ? args : args.map((arg, i) => (i > auth && i <= auth + 2 ? "(redacted)" : arg));
}

function quoted(arg: string): string {
  const escaped = arg.replace(/[^ -~]|["\\]/g, (char) => ESCAPES[char] ?? `\\x${hex(char)}`);
  return `"${escaped}"`;
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(2, "0");
}
