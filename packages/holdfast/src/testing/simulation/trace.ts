/** What happened in one schedule: the last of it for people, all of it as one number to distinguish two runs. */
const KEPT = 200;
const SHOWN_ARGS = 8;
const SHOWN_LENGTH = 40;

interface Event {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly args: readonly string[];
}

export class Trace {
  events = 0;
  readonly #now: () => number;
  readonly #last: Event[] = [];
  /** FNV-1a, 32 bits. */
  #hash = 0x811c9dc5;

  constructor(now: () => number) {
    this.#now = now;
  }

  note(who: string, what: string, args: readonly string[] = []): void {
    const atMs = this.#now();
    this.#mix(String(atMs));
    this.#mix(who);
    this.#mix(what);
    for (const arg of args) this.#mix(arg);
    this.#last[this.events % KEPT] = { atMs, who, what, args };
    this.events += 1;
  }

  get digest(): string {
    return this.#hash.toString(16).padStart(8, "0");
  }

  lines(): string[] {
    const first = this.events % KEPT;
    const inOrder = this.events < KEPT ? this.#last : [...this.#last.slice(first), ...this.#last.slice(0, first)];
    return inOrder.map(({ atMs, who, what, args }) => `${atMs.toFixed(3).padStart(12)} ${who} ${what}${shown(args)}`);
  }

  #mix(text: string): void {
    for (let at = 0; at < text.length; at++) this.#hash = Math.imul(this.#hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  }
}

function shown(args: readonly string[]): string {
  return args
    .slice(0, SHOWN_ARGS)
    .map(
      (arg) =>
        ` ${arg.length > SHOWN_LENGTH ? `${JSON.stringify(arg.slice(0, SHOWN_LENGTH))}...` : JSON.stringify(arg)}`,
    )
    .join("");
}
