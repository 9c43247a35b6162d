/** One connection to the embedded server as its client sees it. `holdfast/testing` puts faults between the two. */
import type { EmbeddedServer, InProcessListener, Reply } from "holdfast-embedded";

/** What comes without being asked for. */
export type ServerMessage = Parameters<NonNullable<InProcessListener["push"]>>[0];

export interface WireListener {
  message(message: ServerMessage): void;
  /** The connection has ended, and not by `close`. */
  closed(cause: Error): void;
}

export interface Wire {
  /** Runs a command. `done` is called once, in the order of the commands, or never where the connection ends first. */
  send(args: readonly string[], done: (reply: Reply) => void): void;
  /** Ends it from this side. Idempotent. */
  close(): void;
}

/** Opens a connection; throws where there is no server to be reached. */
export type Dial = (listener: WireListener) => Wire;

export function dialTo(server: EmbeddedServer): Dial {
  return (listener) => {
    const connection = server.connectInProcess({
      push: (message) => listener.message(message),
      closed: () => listener.closed(new Error("the server closed the connection")),
    });
    return {
      send: (args, done) => connection.send(args, done),
      close: () => connection.disconnect(),
    };
  };
}
