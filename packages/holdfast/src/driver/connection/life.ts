/** The life of one connection. */
import { NeverWrittenError } from "../node-redis/classify.ts";
import type { RawClient } from "../node-redis/client.ts";
import { withResolvers } from "../node-redis/with-resolvers.ts";

/** The end of a connection, however it comes about: once, with one cause, leaving nothing open. */
export class Life {
  readonly ended: Promise<unknown>;
  over = false;
  cause: unknown;
  readonly #socket = new AbortController();
  readonly #resolve: (cause: unknown) => void;
  #client: RawClient | undefined;

  constructor() {
    const { promise, resolve } = withResolvers<unknown>();
    this.ended = promise;
    this.#resolve = resolve;
  }

  get socketSignal(): AbortSignal {
    return this.#socket.signal;
  }

  attach(client: RawClient): void {
    this.#client = client;
    // Every error ends the connection, also one of the decoder, after which replies and commands no longer match.
    client.on("error", (error) => this.end(error));
  }

  throwIfOver(): void {
    if (this.over) throw this.cause;
  }

  end(cause: unknown): void {
    if (this.over) return;
    this.over = true;
    this.cause = cause;
    if (this.#client !== undefined) refuseUnwritten(this.#client, cause);
    this.#resolve(cause);
    // Not at once: when node-redis reports an error it is about to reject the commands in flight with that very error.
    queueMicrotask(() => {
      this.#client?.destroy();
      this.#socket.abort(cause);
    });
  }
}

/** node-redis rejects written and unwritten commands alike; only its queue knows which ones were never sent. */
function refuseUnwritten(client: RawClient, cause: unknown): void {
  const queue = client._getQueue?.();
  if (queue?.extractAllCommands === undefined || queue.rejectCommands === undefined) return;
  queue.rejectCommands(queue.extractAllCommands(), new NeverWrittenError(cause));
}
