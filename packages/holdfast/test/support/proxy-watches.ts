/** Waiting until certain bytes have come through a proxy. */
import type { Socket } from "node:net";

export type Side = "requests" | "replies";

/** Bytes to look for in what one connection has carried since the question, or what to make of these bytes. */
export type Sought = string | Buffer | ((bytes: Buffer) => boolean);

interface Watch {
  readonly side: Side;
  readonly matches: (bytes: Buffer) => boolean;
  /** By connection, since the watch began: what is sought may come in pieces. */
  readonly seen: Map<Socket, Buffer>;
  readonly found: () => void;
}

export class ProxyWatches {
  readonly #watches = new Set<Watch>();

  wait(side: Side, sought: Sought, timeoutMs: number): Promise<void> {
    const matches = typeof sought === "function" ? sought : (bytes: Buffer) => bytes.includes(sought);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#watches.delete(watch);
        reject(new Error(`the proxy saw no such ${side} in ${timeoutMs} ms`));
      }, timeoutMs);
      const found = (): void => {
        clearTimeout(late);
        this.#watches.delete(watch);
        resolve();
      };
      const watch: Watch = { side, matches, seen: new Map(), found };
      this.#watches.add(watch);
    });
  }

  saw(side: Side, client: Socket, bytes: Buffer): void {
    for (const watch of this.#watches) {
      if (watch.side !== side) continue;
      const seen = Buffer.concat([watch.seen.get(client) ?? Buffer.alloc(0), bytes]);
      watch.seen.set(client, seen);
      if (watch.matches(seen)) watch.found();
    }
  }
}
