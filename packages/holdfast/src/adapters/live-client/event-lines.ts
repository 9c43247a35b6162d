/** Reads a `text/event-stream`, in whatever pieces it comes. */

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** Undefined where the event has none of its own. */
  readonly id: string | undefined;
}

export class EventLines {
  readonly #onEvent: (event: StreamEvent) => void;
  readonly #onRetry: (ms: number) => void;
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string | undefined;

  constructor(onEvent: (event: StreamEvent) => void, onRetry: (ms: number) => void) {
    this.#onEvent = onEvent;
    this.#onRetry = onRetry;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop()!;
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id") this.#id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.#onRetry(Number(value));
  }

  #dispatch(): void {
    const [event, data, id] = [this.#event, this.#data, this.#id];
    [this.#event, this.#data, this.#id] = ["", [], undefined];
    if (data.length > 0) this.#onEvent({ event, data: data.join("\n"), id });
  }
}
