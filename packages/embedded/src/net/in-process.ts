/** A client in the same process: commands in, replies out, no bytes between. Answers come in the order of the commands. */
import { system } from "../base/system.ts";
import type { Engine } from "../engine/engine.ts";
import type { Push, Reply, Status } from "../base/reply.ts";
import type { Outlet, Session } from "../engine/session.ts";
import { directNetwork, type Network, type Path } from "./network.ts";

export interface InProcessListener {
  /** A message that answers no command: pub/sub, invalidation, MONITOR. */
  push?(message: Push | Status): void;
  /** The connection has ended, and not by `disconnect`. */
  closed?(): void;
}

type Done = (reply: Reply) => void;

interface Request {
  readonly args: readonly string[];
  readonly done: Done;
}

export class InProcessConnection implements Outlet {
  readonly address: string;
  readonly localAddress: string = "in-process:0";
  readonly session: Session;
  readonly #listener: InProcessListener;
  readonly #path: Path;
  /** Executed and not answered yet, in order; on the server's side. */
  readonly #unanswered: Done[] = [];
  /** Arrived and not executed yet, because the session is blocked; on the server's side. */
  readonly #queue: Request[] = [];
  /** On the client's side. */
  #over = false;

  /** @param port tells it from the server's other connections, earlier ones too */
  constructor(engine: Engine, listener: InProcessListener = {}, network: Network = directNetwork, port: number = 0) {
    this.address = `in-process:${port}`;
    this.#listener = listener;
    const path = network.open({
      endClient: () => this.#lose(),
      endServer: () => this.#leave(),
      areOver: () => this.#over && this.session.closed,
    });
    if (path === undefined) throw new Error("connect ECONNREFUSED: the server takes no connections");
    this.#path = path;
    this.session = engine.connect(this);
  }

  /**
   * Runs a command, unless an earlier one waits for a key, and hands its reply to `done`; at once where there is no network
   * between. Arguments are binary strings. Nothing is called any more after the connection has ended.
   */
  send(args: readonly string[], done: Done): void {
    if (!this.#over) this.#path.toServer(() => this.#receive({ args, done }));
  }

  /** The client ends the connection. Idempotent. */
  disconnect(): void {
    if (this.#over) return;
    this.#over = true;
    this.#path.toServer(() => this.#leave());
  }

  // ---- what the server calls

  reply(reply: Reply): void {
    const done = this.#unanswered.shift();
    if (done !== undefined) this.#path.toClient(() => this.#over || done(reply), "answer");
  }

  push(message: Push | Status): void {
    this.#path.toClient(() => this.#over || this.#listener.push?.(message), "message");
  }

  resume(): void {
    system.queueMicrotask(() => {
      while (this.#queue.length > 0 && !this.session.isBlocked && !this.session.closed) {
        this.#execute(this.#queue.shift() as Request);
      }
    });
  }

  close(): void {
    this.#leave();
    this.#path.toClient(() => this.#lose(), "end");
  }

  // ---- the two ends

  #receive(request: Request): void {
    if (this.session.closed) return;
    if (this.session.isBlocked || this.#queue.length > 0) this.#queue.push(request);
    else this.#execute(request);
  }

  #execute({ args, done }: Request): void {
    this.#unanswered.push(done);
    this.session.execute(args);
  }

  #leave(): void {
    this.session.close();
    this.#queue.length = 0;
    this.#unanswered.length = 0;
  }

  #lose(): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener.closed?.();
  }
}
