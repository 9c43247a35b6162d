/** The way to a test server: everything passes at once, until a fault is asked for. */
import type { Clock, Delivery, Ends, Network, Path } from "holdfast-embedded";
import type { Silences } from "../driver/connection/options.ts";

/** Ways that do not pass at the moment. */
export type Direction = "both" | "toServer" | "toClient";

export class TestNetwork implements Network, Silences {
  readonly clock: Clock;
  /** Answers and requests that are still to be lost. */
  answersToLose = 0;
  requestsToLose = 0;
  /** New connections are refused. */
  refusing = false;
  readonly #paths = new Set<TestPath>();
  readonly #closed = { toServer: 0, toClient: 0 };
  readonly #listeners = new Set<() => void>();
  #delayMs = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  open(ends: Ends): Path | undefined {
    if (this.refusing) return undefined;
    for (const path of this.#paths) if (path.isOver) this.#paths.delete(path);
    const path = new TestPath(this, ends, () => this.#paths.delete(path));
    this.#paths.add(path);
    return path;
  }

  get delayMs(): number {
    return this.#delayMs;
  }

  delay(ms: number): void {
    this.#delayMs = ms;
    this.#reportSilences();
  }

  /** What is only cut is heard of, so connections need no pings. */
  get arePossible(): boolean {
    return this.#delayMs > 0 || !this.passes("toServer") || !this.passes("toClient");
  }

  whenPossible(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  passes(way: "toServer" | "toClient"): boolean {
    return this.#closed[way] === 0;
  }

  /** Returns the function that opens it again; what was sent meanwhile arrives then. Idempotent. */
  block(direction: Direction): () => void {
    const ways = direction === "both" ? (["toServer", "toClient"] as const) : [direction];
    for (const way of ways) this.#closed[way] += 1;
    this.#reportSilences();
    let open = false;
    return () => {
      if (open) return;
      open = true;
      for (const way of ways) this.#closed[way] = Math.max(this.#closed[way] - 1, 0);
      for (const path of this.#paths) path.advance();
    };
  }

  /** No fault is left. */
  heal(): void {
    this.refusing = false;
    this.#delayMs = 0;
    [this.answersToLose, this.requestsToLose] = [0, 0];
    [this.#closed.toServer, this.#closed.toClient] = [0, 0];
    for (const path of this.#paths) path.advance();
  }

  /** Both ends of every connection find it reset; what was under way is lost. */
  cut(): void {
    for (const path of this.#paths) path.cut();
  }

  #reportSilences(): void {
    if (!this.arePossible) return;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }
}

class TestPath implements Path {
  readonly #network: TestNetwork;
  readonly #ends: Ends;
  readonly #onEnd: () => void;
  readonly #queues: Record<"toServer" | "toClient", (() => void)[]> = { toServer: [], toClient: [] };
  #over = false;

  constructor(network: TestNetwork, ends: Ends, onEnd: () => void) {
    this.#network = network;
    this.#ends = ends;
    this.#onEnd = onEnd;
  }

  get isOver(): boolean {
    return this.#ends.areOver();
  }

  toServer(deliver: () => void): void {
    if (this.#over) return;
    if (this.#network.requestsToLose > 0) {
      this.#network.requestsToLose -= 1;
      return this.cut();
    }
    this.#send("toServer", deliver);
  }

  toClient(deliver: () => void, what: Delivery): void {
    if (this.#over) return;
    if (what === "answer" && this.#network.answersToLose > 0) {
      this.#network.answersToLose -= 1;
      return this.cut();
    }
    this.#send("toClient", deliver);
  }

  /** Delivers what may pass now. */
  advance(): void {
    for (const way of ["toServer", "toClient"] as const) {
      const queue = this.#queues[way];
      while (queue.length > 0 && this.#network.passes(way)) queue.shift()?.();
    }
  }

  cut(): void {
    this.#over = true;
    this.#onEnd();
    this.#ends.endServer();
    this.#ends.endClient();
  }

  #send(way: "toServer" | "toClient", deliver: () => void): void {
    const { clock, delayMs } = this.#network;
    if (delayMs > 0) clock.setTimer(delayMs, () => this.#arrive(way, deliver));
    else this.#arrive(way, deliver);
  }

  #arrive(way: "toServer" | "toClient", deliver: () => void): void {
    if (this.#over) return;
    const queue = this.#queues[way];
    if (queue.length === 0 && this.#network.passes(way)) deliver();
    else queue.push(deliver);
  }
}
