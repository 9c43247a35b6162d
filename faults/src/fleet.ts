/** The forked processes of a scenario: each has a name, a ledger of its own, and can be killed, frozen and asked to end. */
import { type ChildProcess, fork, type Serializable } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readLedger, ticks } from "./ledger.ts";

/** What the parent asks of a process. */
export type Request =
  | { readonly ask: "end"; readonly withinMs: number }
  | { readonly ask: "freeze"; readonly ms: number };

const DIST = fileURLToPath(new URL(".", import.meta.url));
const living = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});

export interface MemberOptions {
  readonly program: string;
  readonly name: string;
  readonly folder: string;
  readonly skewMs: number;
  /** Reaches the program as its first argument, the path of its ledger as the second one. */
  readonly config: unknown;
  /** What its messages are answered with. */
  readonly answer?: (message: never) => unknown;
}

export class Member {
  readonly name: string;
  readonly skewMs: number;
  readonly ledger: string;
  /** `ticks()` at which it was killed by us. */
  killedAt: number | undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #resumption: NodeJS.Timeout | undefined;

  constructor({ program, name, folder, skewMs, config, answer }: MemberOptions) {
    this.name = name;
    this.skewMs = skewMs;
    this.ledger = path.join(folder, `${name}.jsonl`);
    this.#child = fork(path.join(DIST, program), [JSON.stringify(config), this.ledger], {
      execArgv: ["--enable-source-maps"],
      env: { ...process.env, FAULTS_SKEW_MS: String(skewMs) },
    });
    living.add(this.#child);
    if (answer !== undefined)
      this.#child.on("message", (message) => this.#send(answer(message as never) as Serializable));
    this.#exited = once(this.#child, "exit").then(() => living.delete(this.#child));
  }

  get isAlive(): boolean {
    return living.has(this.#child);
  }

  async kill(): Promise<void> {
    if (!this.isAlive) return;
    this.killedAt = ticks();
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  freeze(ms: number): void {
    this.#ask({ ask: "freeze", ms });
  }

  /** SIGSTOP: unlike in `freeze` it stands still wherever it is, between two instructions. */
  suspend(ms: number): void {
    if (!this.isAlive || this.#resumption !== undefined) return;
    this.#child.kill("SIGSTOP");
    this.#resumption = setTimeout(() => {
      this.#resumption = undefined;
      this.#child.kill("SIGCONT");
    }, ms);
  }

  /** Resolves when it has ended by itself; rejects, and kills it, when it does not. */
  async end(withinMs: number): Promise<void> {
    this.#ask({ ask: "end", withinMs });
    let took = "";
    const timer = setTimeout(() => {
      took = `, after ${processorMs(this.#child.pid)} ms of processor time since it began`;
      this.#child.kill("SIGKILL");
    }, withinMs);
    await this.#exited;
    clearTimeout(timer);
    if (this.#child.exitCode !== 0)
      throw new Error(`${this.name} did not end: ${this.#child.exitCode ?? this.#child.signalCode}${took}`);
  }

  read<Entry>(): Entry[] {
    return readLedger<Entry>(this.ledger);
  }

  #ask(request: Request): void {
    this.#send(request);
  }

  #send(message: Serializable): void {
    // One that is dying gets nothing any more.
    if (this.isAlive) this.#child.send(message, () => undefined);
  }
}

/** Tells one that goes in circles from one that waits, or that the machine has not let run. */
function processorMs(pid: number | undefined): number | undefined {
  try {
    // Behind the name, which may hold anything: utime and stime are the 12th and 13th, in hundredths of a second.
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return undefined;
  }
}
