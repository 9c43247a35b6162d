/** A contender in a process of its own, so that neither the garbage nor the compiled code of one slows the other down. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Told } from "./contender.ts";
import type { Round, RoundOptions } from "./round.ts";
import { Skipped, type Target } from "./suite.ts";

const PROGRAM = fileURLToPath(new URL("./contender.js", import.meta.url));

export class ContenderProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * Resolves once the contender is connected and has stored what it will ask for.
   * @throws Skipped when it cannot be had here.
   */
  static async start(suite: string, name: string, target: Target): Promise<ContenderProcess> {
    const child = fork(PROGRAM, [suite, name, target.url, String(target.port)]);
    const started = new ContenderProcess(child);
    const told = await started.#told();
    if ("skipped" in told) throw new Skipped(told.skipped);
    return started;
  }

  async run(options: RoundOptions): Promise<Round> {
    this.#child.send(options);
    const told = await this.#told();
    if ("round" in told) return told.round;
    throw new Error("a contender answered out of turn");
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  /** Its next message. A process that ends instead has printed why. */
  async #told(): Promise<Told> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      const told = once(this.#child, "message", { signal }).then(([message]) => message as Told);
      const ended = once(this.#child, "exit", { signal }).then(() => {
        throw new Error(`${this.#child.spawnargs.slice(-4, -2).join(" ")}: its process ended`);
      });
      return await Promise.race([told, ended]);
    } finally {
      waiting.abort();
    }
  }
}
