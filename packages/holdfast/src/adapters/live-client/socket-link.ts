/** A connection by a WebSocket: lines of events from the server, and changes to it, each of which it confirms. */
import type { Link, LinkEnd, LinkListener, LinkWanted } from "./link.ts";
import type { LiveNotice, LiveWebSocket, LiveWebSocketClass } from "./types.ts";

/** Until it is open: what holds up a WebSocket for good does not say so. */
const HANDSHAKE_MS = 10_000;
/** As the server closes with; whatever else it is, such as a connection that breaks, the client comes back. */
const FINAL: Readonly<Record<number, LinkEnd>> = {
  1003: "refused",
  1007: "refused",
  1008: "refused",
  1009: "refused",
  4400: "refused",
  4401: "denied",
  4403: "denied",
  4410: "revoked",
  4419: "expired",
};

export class SocketLink implements Link {
  readonly #url: () => string | Promise<string>;
  readonly #WebSocket: LiveWebSocketClass;
  readonly #listener: LinkListener;
  /** What waits for the server's word, in order. */
  readonly #changes: ((isTaken: boolean) => void)[] = [];
  #socket: LiveWebSocket | undefined;
  #isOver = false;
  #end: (end: LinkEnd) => void = () => undefined;

  constructor(url: () => string | Promise<string>, WebSocket: LiveWebSocketClass, listener: LinkListener) {
    this.#url = url;
    this.#WebSocket = WebSocket;
    this.#listener = listener;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  run(wanted: readonly LinkWanted[]): Promise<LinkEnd> {
    return new Promise((resolve) => {
      const handshake = setTimeout(() => this.close(), HANDSHAKE_MS);
      this.#end = (end) => {
        clearTimeout(handshake);
        resolve(end);
      };
      void this.#open(wanted, () => clearTimeout(handshake));
    });
  }

  change(added: readonly LinkWanted[], removed: readonly string[]): Promise<boolean> {
    if (this.#isOver || this.#socket === undefined) return Promise.resolve(false);
    const cursors = Object.fromEntries(added.map(({ subscription, cursor }) => [subscription, cursor]));
    const subscribe = added.map(({ subscription }) => subscription);
    this.#socket.send(JSON.stringify({ subscribe, unsubscribe: removed, cursors }));
    return new Promise((resolve) => this.#changes.push(resolve));
  }

  close(): void {
    this.#over("again");
  }

  async #open(wanted: readonly LinkWanted[], opened: () => void): Promise<void> {
    try {
      const url = webSocketUrl(await this.#url());
      if (this.#isOver) return;
      const socket = new this.#WebSocket(url);
      this.#socket = socket;
      socket.addEventListener("open", () => {
        opened();
        void this.change(wanted, []);
      });
      socket.addEventListener("message", ({ data }: { readonly data: unknown }) => this.#receive(data));
      socket.addEventListener("close", ({ code }: { readonly code: number }) => this.#over(FINAL[code] ?? "again"));
      // The end follows it.
      socket.addEventListener("error", () => undefined);
    } catch {
      this.close();
    }
  }

  #receive(data: unknown): void {
    if (this.#isOver) return;
    const listener = this.#listener;
    listener.heard();
    try {
      for (const line of String(data).split("\n")) if (line !== "") this.#line(JSON.parse(line) as Line);
    } catch {
      // No server of ours.
      this.close();
    }
  }

  #line(line: Line): void {
    if (!("type" in line)) return this.#listener.message(line[0], line[1], { value: line[2] });
    const { id, ...notice } = line;
    if (notice.type === "retry") return this.#listener.retry(notice.ms);
    if (notice.type === "changed") return this.#changes.shift()?.(true);
    this.#listener.notice(notice, id);
  }

  #over(end: LinkEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const resolve of this.#changes.splice(0)) resolve(false);
    // Of one that is still being made it is an error, which nobody needs.
    this.#socket?.close(1000);
    this.#end(end);
  }
}

type Line =
  | readonly [subscription: string, id: string, value: unknown]
  | ((LiveNotice | { readonly type: "retry"; readonly ms: number } | { readonly type: "changed" }) & {
      readonly id?: string;
    });

/** Of a page's own path as well. */
function webSocketUrl(url: string): string {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  const full = new URL(url, base);
  full.protocol = full.protocol.replace("http", "ws");
  return full.href;
}
