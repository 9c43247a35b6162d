/** What is beside the handler that each framework's `sse` returns. */
import type { Server } from "node:http";
import { acceptUpgrades, type LiveWebSocketOptions } from "../node/upgrade.ts";
import type { Live } from "./live.ts";

export interface LiveHandle extends AsyncDisposable {
  /**
   * Ends the connections of a user, or of one of its sessions, in the whole fleet: at once, and within `revalidate` where that word was lost.
   * Cost: PUBLISH.
   * @throws OutcomeUnknownError when the answer was lost
   */
  end(whose: { readonly user: string } | { readonly session: string }): Promise<void>;
  /**
   * Sends to all connections of a user that have subscribed to `user`, at most once. What must not be lost belongs in a topic.
   * Cost: PUBLISH.
   */
  toUser(user: string, message: unknown): Promise<void>;
  /**
   * Takes WebSockets as well, on the same path and by the same handler: requests for one pass through the application as any other.
   * To be called once for each server; ends with `close`. No I/O.
   * @throws InvalidArgumentError for options that it does not know
   * @example
   * import { WebSocketServer } from "ws";
   * live.webSocket(server, { path: "/live", WebSocketServer });
   */
  webSocket(server: Server, options: LiveWebSocketOptions): void;
  /** Of this process. */
  readonly connections: number;
  /**
   * Ends all connections; their clients come back, to another process. What they have yet to read they have three seconds for.
   * Idempotent; `hf.close()` does it too.
   */
  close(): Promise<void>;
}

export function handleOf<R, H extends (...args: never) => unknown>(live: Live<R>, handler: H): H & LiveHandle {
  const handle = {
    end: (whose: { user?: string; session?: string }) => live.end(whose),
    toUser: (user: string, message: unknown) => live.toUser(user, message),
    webSocket: (server: Server, options: LiveWebSocketOptions) => live.onClose(acceptUpgrades(live, server, options)),
    close: () => live.close(),
    [Symbol.asyncDispose]: () => live.close(),
  };
  Object.defineProperty(handler, "connections", { get: () => live.connections });
  return Object.assign(handler, handle) as unknown as H & LiveHandle;
}
