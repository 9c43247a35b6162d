/** What can be made to go wrong between a test server and its clients. */
import { type EmbeddedServer, takeSnapshot } from "holdfast-embedded";
import { type Duration, toMs, wholeBetween } from "../base/options.ts";
import type { Direction, TestNetwork } from "./test-network.ts";

/** A fault that lasts. `using` ends it. */
export interface Fault extends Disposable {
  /** Ends it; what was held back arrives now. Idempotent. */
  heal(): void;
}

export class Faults {
  readonly #server: EmbeddedServer;
  readonly #network: TestNetwork;
  /** What the replica has, where replication has stopped. */
  #replica: Buffer | undefined;

  constructor(server: EmbeddedServer, network: TestNetwork) {
    this.#server = server;
    this.#network = network;
  }

  /** The next `count` answers are lost: their commands have been executed, and their connections are reset. */
  dropReplies(count: number = 1): void {
    this.#network.answersToLose += wholeBetween("count", count, 1, Number.MAX_SAFE_INTEGER);
  }

  /** The next `count` commands are lost before they are executed, and their connections are reset. */
  dropRequests(count: number = 1): void {
    this.#network.requestsToLose += wholeBetween("count", count, 1, Number.MAX_SAFE_INTEGER);
  }

  /** Everything is under way for so long. */
  delay(time: Duration): Fault {
    this.#network.delay(toMs("time", time, 0));
    return fault(() => this.#network.delay(0));
  }

  /**
   * Nothing passes, in both directions or in one; connections stand, and those who wait hear nothing. `toClient` alone means
   * that commands are executed and their answers do not come.
   */
  partition(direction: Direction = "both"): Fault {
    return fault(this.#network.block(direction));
  }

  /** The server stands still, as under SIGSTOP: what it is sent it executes when it goes on. */
  pause(): Fault {
    return fault(this.#network.block("both"));
  }

  /** Every connection is reset; what was under way is lost. The server is there for the next one. */
  cut(): void {
    this.#network.cut();
  }

  /** The server is gone: every connection is reset and new ones are refused. Its data is there when it is back. */
  down(): Fault {
    this.#network.refusing = true;
    this.#network.cut();
    return fault(() => (this.#network.refusing = false));
  }

  /** The server's process dies and comes back: connections are reset, scripts are forgotten, and the data is kept or lost. */
  restart({ keepData = true }: { readonly keepData?: boolean } = {}): void {
    const snapshot = keepData ? takeSnapshot(this.#server.engine) : undefined;
    this.#network.cut();
    this.#server.restart(snapshot);
  }

  /** What is written from now on does not reach the replica, until the next `failover`. */
  stopReplication(): void {
    this.#replica = takeSnapshot(this.#server.engine);
  }

  /** The replica takes over: connections are reset, scripts are forgotten, and what was not replicated is lost. */
  failover(): void {
    const snapshot = this.#replica ?? takeSnapshot(this.#server.engine);
    this.#replica = undefined;
    this.#network.cut();
    this.#server.restart(snapshot);
  }
}

function fault(heal: () => void): Fault {
  return { heal, [Symbol.dispose]: heal };
}
