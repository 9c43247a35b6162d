/** Writes down what a process asks for, what it is answered, and what it believes. */
import { type Ledger, ticks } from "../ledger.ts";
import type { Asked, Entry, ResourceAnswer, ResourceAsked, Result } from "./entry.ts";

/** As every hold shows itself. */
export interface Lease {
  readonly held: boolean;
  readonly remainingMs: number;
  readonly signal: { readonly aborted: boolean };
}

export interface Noted<Value> {
  /** Of the call, and of the hold that it has got. */
  readonly id: string;
  /** Undefined where it was rejected. */
  readonly value: Value | undefined;
}

type WithoutId<Message> = Message extends unknown ? Omit<Message, "id"> : never;

export class Recorder {
  readonly #ledger: Ledger<Entry>;
  readonly #name: string;
  readonly #waiting = new Map<number, (answer: ResourceAnswer) => void>();
  #calls = 0;
  #questions = 0;
  /** What is under way, for one that does not end. */
  readonly open = new Map<string, Asked>();

  constructor(ledger: Ledger<Entry>, name: string) {
    this.#ledger = ledger;
    this.#name = name;
    process.on("message", (answer: ResourceAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Of several objects that one call is about: one entry each, around the same call. */
  async call<Value>(
    asked: readonly Asked[],
    run: () => Promise<Value>,
    resultOf: (value: Value, at: number) => Result,
  ): Promise<{ readonly ids: string[]; readonly value: Value | undefined }> {
    const ids = asked.map(() => `${this.#name}.${(this.#calls += 1)}`);
    for (const [at, each] of asked.entries()) {
      this.open.set(ids[at]!, each);
      this.write({ what: "called", at: ticks(), call: ids[at]!, asked: each });
    }
    const answered = (of: (at: number) => Result): void => {
      const at = ticks();
      for (const [index, call] of ids.entries()) {
        this.open.delete(call);
        this.write({ what: "answered", at, call, result: of(index) });
      }
    };
    try {
      const value = await run();
      answered((at) => resultOf(value, at));
      return { ids, value };
    } catch {
      answered(() => ({ status: "failed" }));
      return { ids, value: undefined };
    }
  }

  async note<Value>(
    asked: Asked,
    run: () => Promise<Value>,
    resultOf: (value: Value) => Result,
  ): Promise<Noted<Value>> {
    const { ids, value } = await this.call([asked], run, resultOf);
    return { id: ids[0]!, value };
  }

  believe(holds: readonly string[], lease: Lease): boolean {
    const from = ticks();
    const { remainingMs, held } = lease;
    const { aborted } = lease.signal;
    const to = ticks();
    for (const hold of holds) this.write({ what: "believed", hold, from, to, held, aborted, remainingMs });
    return held;
  }

  write(entry: Entry): void {
    this.#ledger.write(entry);
  }

  askResource(asked: WithoutId<ResourceAsked>): Promise<ResourceAnswer> {
    const id = (this.#questions += 1);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      process.send!({ ...asked, id });
    });
  }
}
