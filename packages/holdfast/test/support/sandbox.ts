/**
 * A temporary folder and the processes that live in it, both gone when the sandbox closes, or when this process ends
 * in any way at all: exit, Ctrl-C, SIGKILL, a terminated worker thread.
 *
 * The last part is done by a shell in its own session which reads our pipe. It is told of each process; when the pipe
 * ends it kills those that are left and removes the folder. SIGKILL, because a stopped process answers to nothing else.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";

const GUARD = `
while read -r verb pid; do
  others=
  for one in $pids; do [ "$one" = "$pid" ] || others="$others $one"; done
  pids=$others
  [ "$verb" = forget ] || pids="$pids $pid"
done
[ -z "$pids" ] || kill -9 $pids 2>/dev/null
rm -rf "$1"
`;

export class Sandbox {
  readonly dir: string;
  readonly #pipe: Writable;
  readonly #guardExit: Promise<unknown>;
  #closed = false;

  constructor(name: string) {
    this.dir = mkdtempSync(join(tmpdir(), `holdfast-${name}-`));
    // Detached: a Ctrl-C goes to the terminal's whole group, and the guard must outlive it.
    const guard = spawn("sh", ["-c", GUARD, "sh", this.dir], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#guardExit = once(guard, "exit");
    this.#pipe = guard.stdin;
  }

  /** Starts a process that cannot outlive the sandbox. */
  spawn(path: string, args: readonly string[], log: number): ChildProcess {
    const child = spawn(path, args, { stdio: ["ignore", log, log], detached: true });
    const { pid } = child;
    if (pid === undefined) return child;
    this.#pipe.write(`watch ${pid}\n`);
    child.once("exit", () => {
      if (!this.#closed) this.#pipe.write(`forget ${pid}\n`);
    });
    return child;
  }

  /** Kills what still runs and removes the folder. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#pipe.end();
    await this.#guardExit;
  }
}
