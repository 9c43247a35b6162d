/** Server-sent events to all open pages. A page that reads too slowly misses frames; it never makes the others wait. */
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { problem } from "./problem.ts";

const MAX_PAGES = 200;
/** One client cannot take them all. */
const MAX_PAGES_PER_CLIENT = 12;

export type Frame = readonly [event: string, data: unknown];

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

  /** Holds the response open until the page goes away. `greeting` is sent first. */
  open(c: Context, client: string, greeting: () => readonly Frame[]): Response {
    const own = [...this.#pages].filter((page) => page.client === client).length;
    if (own >= MAX_PAGES_PER_CLIENT) {
      return problem(c, 429, `You have ${own} pages open; close one.`, { "retry-after": "30" });
    }
    if (this.#pages.size >= MAX_PAGES) return problem(c, 503, "Too many open pages.", { "retry-after": "30" });
    return streamSSE(c, async (stream) => {
      const gone = new Promise<void>((resolve) => stream.onAbort(resolve));
      const page: Page = { client, stream, busy: false };
      this.#pages.add(page);
      try {
        for (const frame of greeting()) await send(page, ...frame);
        await gone;
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

async function send(page: Page, event: string, data: unknown): Promise<void> {
  page.busy = true;
  try {
    await page.stream.writeSSE({ event, data: typeof data === "string" ? data : JSON.stringify(data) });
  } catch {
    page.stream.abort();
  } finally {
    page.busy = false;
  }
}
