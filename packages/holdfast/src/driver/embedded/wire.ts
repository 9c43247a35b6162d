/** One connection to the embedded server as its client sees it. */
import type { EmbeddedServer, InProcessListener, Network, Reply } from "holdfast-embedded";

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

/** @param network what lies between; nothing by default */
export function dialTo(server: EmbeddedServer, network?: Network): Dial {
  return (listener) => {
    const ends = {
      push: (message: ServerMessage) => listener.message(message),
      closed: () => listener.closed(new Error("the server closed the connection")),
    };
    const connection = server.connectInProcess(ends, network);
    return {
      send: (args, done) => connection.send(args, done),
      close: () => connection.disconnect(),
    };
  };
}
