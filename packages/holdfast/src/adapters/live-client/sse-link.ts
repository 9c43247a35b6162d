/** A connection by `fetch`: an event stream, and a POST for each change. */
import { EventLines } from "./event-lines.ts";
import type { Link, LinkEnd, LinkListener, LinkWanted } from "./link.ts";
import type { LiveClientOptions, LiveNotice } from "./types.ts";

export class SseLink implements Link {
  readonly #url: () => string | Promise<string>;
  readonly #options: LiveClientOptions;
  readonly #listener: LinkListener;
  readonly #attempt = new AbortController();
  #connection: string | undefined;

  constructor(url: () => string | Promise<string>, options: LiveClientOptions, listener: LinkListener) {
    this.#url = url;
    this.#options = options;
    this.#listener = listener;
  }

  get isOver(): boolean {
    return this.#attempt.signal.aborted;
  }

  async run(wanted: readonly LinkWanted[]): Promise<LinkEnd> {
    try {
      const response = await this.#request("GET", queryOf(wanted, [], { cursors: "own" }));
      const { status } = response;
      if (status === 401 || status === 403) return "denied";
      if (status >= 400 && status < 500 && status !== 408 && status !== 429) return "refused";
      if (response.ok && response.body !== null) await this.#read(response.body);
    } catch {
      // It comes back.
    } finally {
      this.close();
    }
    return "again";
  }

  async change(added: readonly LinkWanted[], removed: readonly string[]): Promise<boolean> {
    if (this.#connection === undefined) return false;
    try {
      const query = queryOf(added, removed, { connection: this.#connection });
      return (await this.#request("POST", query)).ok;
    } catch {
      return false;
    }
  }

  close(): void {
    this.#attempt.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const listener = this.#listener;
    const lines = new EventLines(
      ({ event, data, id }) => {
        if (event !== "live") return listener.message(event, id, data);
        const notice = JSON.parse(data) as LiveNotice;
        if (notice.type === "hello") this.#connection = notice.connection;
        listener.notice(notice, id);
      },
      (ms) => listener.retry(ms),
    );
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.isOver) return;
      listener.heard();
      lines.push(decoder.decode(value, { stream: true }));
    }
  }

  async #request(method: "GET" | "POST", query: URLSearchParams): Promise<Response> {
    const { headers, credentials = "same-origin", fetch = globalThis.fetch } = this.#options;
    const [base, given] = [await this.#url(), typeof headers === "function" ? await headers() : headers];
    const url = `${base}${base.includes("?") ? "&" : "?"}${query.toString()}`;
    const accept = method === "GET" ? { accept: "text/event-stream" } : {};
    const { signal } = this.#attempt;
    return fetch(url, { method, signal, credentials, headers: { ...accept, ...given } });
  }
}

function queryOf(
  added: readonly LinkWanted[],
  removed: readonly string[],
  more: Record<string, string>,
): URLSearchParams {
  const query = new URLSearchParams(more);
  for (const { subscription } of added) query.append("subscribe", subscription);
  for (const subscription of removed) query.append("unsubscribe", subscription);
  const known = added.filter(({ cursor }) => cursor !== undefined);
  const cursors = known.map(({ subscription, cursor }) => `${encodeURIComponent(subscription)}=${cursor}`);
  if (cursors.length > 0) query.set("lastEventId", cursors.join("&"));
  return query;
}
