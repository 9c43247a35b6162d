/** Server-sent events to all open pages. A page that reads too slowly misses frames; it never makes the others wait. */
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";

const MAX_PAGES = 200;

interface Page {
  readonly stream: SSEStreamingApi;
  busy: boolean;
}

export class Hub {
  readonly #pages = new Set<Page>();

  get pages(): number {
    return this.#pages.size;
  }

  /** Holds the response open until the page goes away. `greeting` is sent first. */
  open(c: Context, greeting: () => readonly [event: string, data: unknown] | undefined): Response {
    if (this.#pages.size >= MAX_PAGES) return c.text("too many open pages", 503, { "retry-after": "30" });
    return streamSSE(c, async (stream) => {
      const page: Page = { stream, busy: false };
      this.#pages.add(page);
      try {
        const first = greeting();
        if (first !== undefined) await send(page, ...first);
        await new Promise<void>((resolve) => stream.onAbort(resolve));
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
