/** Server-sent events to all open pages. A page that reads too slowly misses frames; it never makes the others wait. */
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { problem } from "./problem.ts";

const MAX_PAGES = 200;
/** One client cannot take them all. */
const MAX_PAGES_PER_CLIENT = 12;

/** @param id where the page is then: it comes back with it */
export type Send = (event: string, data: unknown, id?: string) => Promise<void>;

interface Page {
  readonly client: string;
  readonly stream: SSEStreamingApi;
  busy: boolean;
}

export class Hub {
  readonly #pages = new Set<Page>();

  get pages(): number {
    return this.#pages.size;
  }

  /** Holds the response open until the page goes away. `serve` is what the page alone is sent, from its id on, "" for a new page. */
  open(
    c: Context,
    client: string,
    serve: (lastEventId: string, send: Send, signal: AbortSignal) => Promise<void>,
  ): Response {
    const own = [...this.#pages].filter((page) => page.client === client).length;
    if (own >= MAX_PAGES_PER_CLIENT) {
      return problem(c, 429, `You have ${own} pages open; close one.`, { "retry-after": "30" });
    }
    if (this.#pages.size >= MAX_PAGES) return problem(c, 503, "Too many open pages.", { "retry-after": "30" });
    return streamSSE(c, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      const page: Page = { client, stream, busy: false };
      this.#pages.add(page);
      try {
        const write: Send = (event, data, id) => send(page, event, data, id);
        await serve(c.req.header("last-event-id") ?? "", write, gone.signal);
      } finally {
        this.#pages.delete(page);
      }
    });
  }

  broadcast(event: string, data: unknown): void {
    const text = JSON.stringify(data);
    for (const page of this.#pages) if (!page.busy) void send(page, event, text);
  }
}

async function send(page: Page, event: string, data: unknown, id?: string): Promise<void> {
  page.busy = true;
  try {
    const text = typeof data === "string" ? data : JSON.stringify(data);
    await page.stream.writeSSE({ event, data: text, ...(id !== undefined && { id }) });
  } catch {
    page.stream.abort();
  } finally {
    page.busy = false;
  }
}
