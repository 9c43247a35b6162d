/** A process that the runner calls by messages, one call at a time, and the other end of it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** What such a process can be called to do. */
export type CallTable = object;

type Called<Calls, Name extends keyof Calls> = Calls[Name] extends (...args: infer Args) => infer Answer
  ? { readonly args: Args; readonly answer: Awaited<Answer> }
  : never;

export class CalledProcess<Calls extends CallTable> implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves once it is connected. */
  static async start<Calls extends CallTable>(
    program: string,
    args: readonly string[],
    execArgv: readonly string[] = [],
  ): Promise<CalledProcess<Calls>> {
    const started = new CalledProcess<Calls>(fork(program, [...args], { execArgv: [...execArgv] }));
    await started.#answer();
    return started;
  }

  async call<Name extends keyof Calls>(
    call: Name,
    ...args: Called<Calls, Name>["args"]
  ): Promise<Called<Calls, Name>["answer"]> {
    const answer = this.#answer<Called<Calls, Name>["answer"]>();
    this.#child.send({ call: call as string, args: args as unknown[] });
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  /** A process that ends instead has printed why. */
  async #answer<T>(): Promise<T> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      const answered = once(this.#child, "message", { signal });
      const ended = once(this.#child, "exit", { signal }).then(() => {
        throw new Error(`${this.#child.spawnargs.slice(-3).join(" ")}: its process ended`);
      });
      const [message] = await Promise.race([answered, ended]);
      return (message as { answer: T }).answer;
    } finally {
      waiting.abort();
    }
  }
}

/** In the process: says that it is ready, and answers. */
export function answerCalls(calls: CallTable): void {
  process.on("message", ({ call, args }: { call: string; args: unknown[] }) => {
    const asked = Reflect.get(calls, call) as (...args: unknown[]) => Promise<unknown>;
    const answer: Promise<unknown> = Reflect.apply(asked, calls, args);
    void answer.then((value) => process.send!({ answer: value }));
  });
  // Without the runner there is nobody to measure for.
  process.on("disconnect", () => process.exit());
  process.send!({ answer: "ready" });
}
