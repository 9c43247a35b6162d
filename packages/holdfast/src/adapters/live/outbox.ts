/**
 * What waits for one client. It is taken out as fast as the client reads; who puts in what can be fetched again later
 * waits for room first, and what cannot wait is dropped or ends the connection.
 */
export class Outbox {
  readonly #limit: number;
  /** How often something was put in, and taken out. */
  puts = 0;
  takes = 0;
  #texts: string[] = [];
  #size = 0;
  #isEnded = false;
  #takes: (() => void) | undefined;
  #waiting: (() => void)[] = [];

  /** @param limit characters, about */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#size >= this.#limit;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  put(text: string): void {
    if (this.#isEnded) return;
    this.puts += 1;
    this.#texts.push(text);
    this.#size += text.length;
    this.#wake();
  }

  /** Resolves when there is room, or none is needed any more. */
  room(): Promise<void> {
    if (!this.isFull || this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** All that is in it, once there is something; undefined after the end. */
  async next(): Promise<string | undefined> {
    if (this.#size === 0 && !this.#isEnded) await new Promise<void>((resolve) => (this.#takes = resolve));
    if (this.#size === 0) return undefined;
    const text = this.#texts.length === 1 ? this.#texts[0]! : this.#texts.join("");
    this.takes += 1;
    this.clear();
    return text;
  }

  /** What is in it is still taken. Idempotent. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
    this.#letIn();
  }

  /** Nobody takes any more. Idempotent. */
  discard(): void {
    this.clear();
    this.end();
  }

  /** What is in it is not sent. */
  clear(): void {
    this.#texts = [];
    this.#size = 0;
    this.#letIn();
  }

  #letIn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  #wake(): void {
    const takes = this.#takes;
    this.#takes = undefined;
    takes?.();
  }
}
