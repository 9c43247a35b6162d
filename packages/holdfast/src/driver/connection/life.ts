/** The life of one connection. */
import { Deferred } from "../../base/deferred.ts";
import type { ClientKind, RawClient } from "./raw-client.ts";

/** The end of a connection, however it comes about: once, with one cause, leaving nothing open. */
export class Life {
  readonly #ended = new Deferred<unknown>();
  readonly ended: Promise<unknown> = this.#ended.promise;
  over = false;
  cause: unknown;
  /** It ended with answers outstanding: what was asked may still be executed. */
  mayStillRun = false;
  /** The other end closed it, or the network said that it is gone. */
  endedByPeer = false;
  readonly #socket = new AbortController();
  readonly #kind: ClientKind;
  #client: RawClient | undefined;

  constructor(kind: ClientKind) {
    this.#kind = kind;
  }

  get socketSignal(): AbortSignal {
    return this.#socket.signal;
  }

  attach(client: RawClient): void {
    this.#client = client;
    // Every error ends the connection, also one of the decoder, after which replies and commands no longer match.
    client.on("error", (error) => {
      this.endedByPeer = !this.over;
      this.end(error);
    });
  }

  throwIfOver(): void {
    if (this.over) throw this.cause;
  }

  end(cause: unknown): void {
    if (this.over) return;
    this.over = true;
    this.cause = cause;
    if (this.#client !== undefined) {
      this.#kind.refuseUnwritten(this.#client, cause);
      this.mayStillRun = this.#kind.isAwaiting(this.#client);
    }
    this.#ended.resolve(cause);
    // Not at once: when the client reports an error it is about to reject the commands in flight with that very error.
    queueMicrotask(() => {
      this.#client?.destroy();
      this.#socket.abort(cause);
    });
  }
}
