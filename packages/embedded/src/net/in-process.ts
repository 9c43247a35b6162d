/** A client in the same process: commands in, replies out, no bytes between. Answers come in the order of the commands. */
import type { Engine } from "../engine.ts";
import type { Push, Reply, Status } from "../reply.ts";
import type { Outlet, Session } from "../session.ts";

export interface InProcessListener {
  /** A message that answers no command: pub/sub, invalidation, MONITOR. */
  push?(message: Push | Status): void;
  /** The server ended the connection. */
  closed?(): void;
}

export class InProcessConnection implements Outlet {
  readonly address: string = "in-process:0";
  readonly localAddress: string = "in-process:0";
  readonly session: Session;
  private readonly listener: InProcessListener;
  private readonly unanswered: ((reply: Reply) => void)[] = [];
  private readonly queue: (readonly string[])[] = [];

  constructor(engine: Engine, listener: InProcessListener = {}) {
    this.listener = listener;
    this.session = engine.connect(this);
  }

  /**
   * Runs a command at once, unless an earlier one waits for a key, and hands its reply to `done`. Arguments are binary strings.
   * Nothing is called any more after the connection has closed.
   */
  send(args: readonly string[], done: (reply: Reply) => void): void {
    this.unanswered.push(done);
    if (this.session.isBlocked || this.queue.length > 0) this.queue.push(args);
    else this.session.execute(args);
  }

  reply(reply: Reply): void {
    this.unanswered.shift()?.(reply);
  }

  push(message: Push | Status): void {
    this.listener.push?.(message);
  }

  resume(): void {
    queueMicrotask(() => {
      while (this.queue.length > 0 && !this.session.isBlocked && !this.session.closed) {
        this.session.execute(this.queue.shift() as readonly string[]);
      }
    });
  }

  /** Called by the server. */
  close(): void {
    this.disconnect();
    this.listener.closed?.();
  }

  /** Called by the client. Idempotent. */
  disconnect(): void {
    this.session.close();
    this.queue.length = 0;
    this.unanswered.length = 0;
  }
}
