/** A visitor of the page without the page: signs in, asks, keeps the cookie, waits while the API is away. */
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 100;
/** Ends what hangs: on a machine with much else to do every process of the demo takes a minute to begin. */
const PATIENCE_MS = 240_000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export class Visitor {
  readonly #base: string;
  #cookie = "";

  constructor(base: string) {
    this.#base = base;
  }

  async signIn(user: string): Promise<void> {
    const { status, headers } = await this.ask("/api/session", { method: "POST", body: { user } });
    if (status !== 200) throw new Error(`sign-in as ${user} was answered with ${status}`);
    this.#cookie = headers.getSetCookie()[0]?.split(";")[0] ?? "";
  }

  /** One answer; an API that is down, starting, or without its server is asked again. */
  async ask(path: string, options: { method?: string; body?: unknown } = {}): Promise<Answer> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.#once(path, options);
      if (answer !== undefined && answer.status !== 503) return answer;
      if (performance.now() > deadline) throw new Error(`no answer to ${path} in ${PATIENCE_MS / 1_000} s`);
      await sleep(RETRY_MS);
    }
  }

  async #once(path: string, options: { method?: string; body?: unknown }): Promise<Answer | undefined> {
    try {
      const response = await fetch(`${this.#base}${path}`, {
        method: options.method ?? "GET",
        headers: { cookie: this.#cookie, origin: this.#base, "content-type": "application/json" },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
    } catch {
      return undefined;
    }
  }
}
