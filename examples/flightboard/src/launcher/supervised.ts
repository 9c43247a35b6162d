/** A child process that is started again when it dies, until it is to stop. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** A process that does not end by itself within this time is killed. */
const STOP_MS = 5_000;

export class Supervised {
  readonly name: string;
  readonly #start: () => ChildProcess;
  readonly #restartMs: number;
  readonly #report: (text: string) => void;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #deaths = 0;

  /** `restartMs`: how long after its death it is started again. */
  constructor(name: string, start: () => ChildProcess, restartMs: number, report: (text: string) => void) {
    this.name = name;
    this.#start = start;
    this.#restartMs = restartMs;
    this.#report = report;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it died by itself or was killed. */
  get deaths(): number {
    return this.#deaths;
  }

  start(): void {
    const child = this.#start();
    this.#child = child;
    child.once("exit", (code, signal) => {
      this.#child = undefined;
      if (this.#stopping) return;
      this.#deaths += 1;
      this.#report(`${this.name} died (${signal ?? `exit code ${code}`}), starting it again`);
      this.#restart = setTimeout(() => this.start(), this.#restartMs);
    });
  }

  /** SIGKILL: no handler runs, nothing is released, nothing is said goodbye to. */
  kill(): boolean {
    return this.#child?.kill("SIGKILL") ?? false;
  }

  /** SIGSTOP, and SIGCONT after `ms`: the process knows nothing of the time between, and goes on where it was. */
  freeze(ms: number): boolean {
    const child = this.#child;
    if (child?.kill("SIGSTOP") !== true) return false;
    setTimeout(() => child.kill("SIGCONT"), ms);
    return true;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    child.kill("SIGCONT");
    const timer = setTimeout(() => {
      this.#report(`${this.name} does not end by itself, killing it`);
      child.kill("SIGKILL");
    }, STOP_MS);
    await exit;
    clearTimeout(timer);
  }
}
