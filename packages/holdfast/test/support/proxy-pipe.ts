/** One direction of one proxied connection: bytes go in, and come out late, held back, or not at all. */
import type { Socket } from "node:net";

/** What a direction does with bytes. `hold` keeps them for later, as a network does that comes back; `drop` loses them. */
export type Flow = "pass" | "hold" | "drop";

interface Chunk {
  readonly bytes: Buffer;
  /** On the clock of performance.now(), in milliseconds. */
  readonly arrivedAt: number;
}

export class ProxyPipe {
  readonly #to: Socket;
  readonly #queue: Chunk[] = [];
  readonly #seen: (bytes: Buffer) => void;
  #flow: Flow = "pass";
  #delayMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #lostBytes = false;

  /** `seen` is told of every chunk that arrives, after what is done with it. */
  constructor(from: Socket, to: Socket, seen: (bytes: Buffer) => void) {
    this.#to = to;
    this.#seen = seen;
    from.on("data", (bytes) => this.#arrive(bytes));
    from.on("close", () => this.#end());
    to.on("close", () => clearTimeout(this.#timer));
  }

  /** True when a part of the stream is missing: what follows would be read as something that it is not. */
  get lostBytes(): boolean {
    return this.#lostBytes;
  }

  /** Bytes have arrived that were not passed on yet. */
  get holds(): boolean {
    return this.#queue.length > 0;
  }

  set(flow: Flow, delayMs: number): void {
    this.#flow = flow;
    this.#delayMs = delayMs;
    this.#flush();
  }

  #arrive(bytes: Buffer): void {
    if (this.#flow === "drop") this.#lostBytes = true;
    else this.#queue.push({ bytes, arrivedAt: performance.now() });
    this.#flush();
    this.#seen(bytes);
  }

  #end(): void {
    this.#ended = true;
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    if (this.#flow !== "pass") return;
    const now = performance.now();
    for (let [next] = this.#queue; next !== undefined; [next] = this.#queue) {
      const waitMs = Math.ceil(next.arrivedAt + this.#delayMs - now);
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#flush(), waitMs);
        return;
      }
      this.#to.write(next.bytes);
      this.#queue.shift();
    }
    if (this.#ended) this.#to.end();
  }
}
