/** Who listens to which channel on one connection. */
import type { MessageListener } from "../connection/raw-client.ts";

/** As the server's messages begin. */
export type MessageKind = "message" | "pmessage" | "smessage";

export class Listeners {
  readonly #byChannel = new Map<string, Set<MessageListener>>();

  /** `channel` is a binary string, or a pattern of the kind `pmessage`. */
  add(kind: MessageKind, channel: string, listener: MessageListener): void {
    const id = `${kind}:${channel}`;
    const known = this.#byChannel.get(id);
    if (known === undefined) this.#byChannel.set(id, new Set([listener]));
    else known.add(listener);
  }

  /** True when nobody listens there any more. */
  delete(kind: MessageKind, channel: string, listener: MessageListener): boolean {
    const id = `${kind}:${channel}`;
    const known = this.#byChannel.get(id);
    known?.delete(listener);
    if (known !== undefined && known.size > 0) return false;
    this.#byChannel.delete(id);
    return true;
  }

  at(kind: MessageKind, channel: string): Iterable<MessageListener> {
    return this.#byChannel.get(`${kind}:${channel}`) ?? [];
  }
}
