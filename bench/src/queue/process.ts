/** A process of one package, as the runner calls it: one call at a time. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Target } from "../suite.ts";
import type { Package } from "./port.ts";
import type { Calls } from "./program.ts";

const PROGRAM = fileURLToPath(new URL("./program.js", import.meta.url));

export class QueueProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves once it is connected and its code is compiled. */
  static async start(name: Package, target: Target, execArgv: readonly string[] = []): Promise<QueueProcess> {
    const child = fork(PROGRAM, [name, target.url, String(target.port)], { execArgv: [...execArgv] });
    const started = new QueueProcess(child);
    await started.#answer();
    await started.call("warm");
    return started;
  }

  async call<Name extends keyof Calls>(
    call: Name,
    ...args: Parameters<Calls[Name]>
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    const answer = this.#answer();
    this.#child.send({ call, args });
    return (await answer) as Awaited<ReturnType<Calls[Name]>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  /** A process that ends instead has printed why. */
  async #answer(): Promise<unknown> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      const answered = once(this.#child, "message", { signal });
      const ended = once(this.#child, "exit", { signal }).then(() => {
        throw new Error(`${this.#child.spawnargs.slice(-3).join(" ")}: its process ended`);
      });
      const [message] = await Promise.race([answered, ended]);
      return (message as { answer: unknown }).answer;
    } finally {
      waiting.abort();
    }
  }
}
