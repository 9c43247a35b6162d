/**
 * What lies between a client and the server. Without one everything is delivered at once. A network decides when each
 * delivery happens, or that it never does: that is where tests and simulations put their faults.
 */
export interface Network {
  /** A client connects; undefined refuses it. */
  open(ends: Ends): Path | undefined;
}

/** The two ends of one connection, each of which may learn of the connection's end without the other. */
export interface Ends {
  /** The client finds its connection reset. Idempotent. */
  endClient(): void;
  /** The server finds that the client has gone; what was delivered before has been executed. Idempotent. */
  endServer(): void;
  /** Both have ended: a network that keeps its connections may forget this one. */
  areOver(): boolean;
}

/** One connection. Each direction must keep its order, as TCP does. */
export interface Path {
  /** A command, or bytes of one, or the client's end. */
  toServer(deliver: () => void): void;
  /** What the server says, or its end of the connection. */
  toClient(deliver: () => void, what: Delivery): void;
}

/** `answer`: to a command, perhaps with messages beside it. `message`: nobody asked for it. `end`: the server hangs up. */
export type Delivery = "answer" | "message" | "end";

const NOTHING_BETWEEN: Path = {
  toServer: (deliver) => deliver(),
  toClient: (deliver) => deliver(),
};

export const directNetwork: Network = { open: () => NOTHING_BETWEEN };
