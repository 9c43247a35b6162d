/**
 * One client, whatever carries it: a socket, a Unix socket, a call in the same process. `execute` runs a command to its end;
 * everything the client receives leaves through its outlet, in order.
 */
import type { BlockRequest, Waiter } from "./blocking.ts";
import type { Command } from "./command.ts";
import type { Database, Watch } from "./database.ts";
import type { Engine } from "./engine.ts";
import { execute } from "./executor.ts";
import type { SubscriptionKind } from "./pubsub.ts";
import { BLOCKED, type Blocked, Push, type Reply, Several, type Status } from "../base/reply.ts";
import type { TrackingState } from "./tracking.ts";
import type { User } from "./users.ts";

/** Where a session's answers go. */
export interface Outlet {
  /** `127.0.0.1:51234`, or a name for what is no socket. */
  readonly address: string;
  readonly localAddress: string;
  /** The answer of the oldest command that has none yet. */
  reply(reply: Reply): void;
  /** A message that answers no command. */
  push(message: Push | Status): void;
  /** The session is no longer blocked: go on with its next command. */
  resume(): void;
  /** Ends the connection once everything before is delivered. */
  close(): void;
}

export interface QueuedCommand {
  readonly command: Command;
  readonly args: readonly string[];
}

export interface Transaction {
  readonly queue: QueuedCommand[];
  /** One of them may write: a script as it was known when it was queued. */
  mayReplicate: boolean;
  /** A command could not be queued; EXEC will refuse. */
  failed: boolean;
}

export class Session {
  readonly engine: Engine;
  readonly id: number;
  readonly outlet: Outlet;
  readonly createdAtMs: number;
  readonly subscriptions: Readonly<Record<SubscriptionKind, Set<string>>> = {
    channel: new Set(),
    pattern: new Set(),
    shard: new Set(),
  };
  db: Database;
  /** ASKING: the next command may be about a slot that is on its way here. */
  asking = false;
  resp: 2 | 3 = 2;
  name = "";
  user: User;
  authenticated: boolean;
  transaction: Transaction | undefined;
  readonly watches: Set<Watch> = new Set();
  /** A watched key was touched: EXEC answers nil. */
  watchedKeyChanged = false;
  tracking: TrackingState | undefined;
  /** Of the tracking that was on last; 0 for none. */
  lastRedirect = 0;
  /** CLIENT REPLY. */
  replies: "on" | "off" | "skip" = "on";
  /** CLIENT REPLY SKIP is about the next command, or about what comes after EXEC. */
  skipsNext = false;
  /** Waiting for a key. */
  waiter: Waiter | undefined;
  /** Held back by CLIENT PAUSE. */
  postponed: readonly string[] | undefined;
  /** Its script is busy. */
  inBusyRun = false;
  /** Inside EXEC or a script nothing may wait. */
  mayBlock = true;
  /** Runs the commands of a script. */
  readonly isScript: boolean;
  closed = false;
  /** QUIT, or CLIENT KILL of oneself. */
  closeAfterReply = false;
  lastCommand = "NULL";
  usedAtMs: number;
  noEvict = false;

  constructor(engine: Engine, id: number, outlet: Outlet, isScript = false) {
    this.engine = engine;
    this.id = id;
    this.outlet = outlet;
    this.isScript = isScript;
    this.createdAtMs = engine.clock.nowMs();
    this.usedAtMs = this.createdAtMs;
    this.db = engine.database(0);
    this.user = engine.users.default;
    this.authenticated = this.user.open;
  }

  /** The command's time in milliseconds; it stands still while a command, a transaction or a script runs. */
  get nowMs(): number {
    return this.engine.nowMs;
  }

  get isBlocked(): boolean {
    return this.waiter !== undefined || this.postponed !== undefined || this.inBusyRun;
  }

  get isSubscriber(): boolean {
    const { channel, pattern, shard } = this.subscriptions;
    return channel.size > 0 || pattern.size > 0 || shard.size > 0;
  }

  /** Channels and patterns, as SUBSCRIBE counts them. */
  get subscriptionCount(): number {
    return this.subscriptions.channel.size + this.subscriptions.pattern.size;
  }

  /** Must not be called while the session is blocked. */
  execute(args: readonly string[]): void {
    execute(this, args);
  }

  /**
   * Waits until `serve` returns an answer or the time is over; a command calls it when there is nothing for its client now.
   * In a transaction or a script it answers at once as if the time were over.
   */
  block(request: BlockRequest): Reply | Blocked {
    if (!this.mayBlock) return request.timeoutReply;
    this.engine.blocked.block(this, request);
    return BLOCKED;
  }

  answer(reply: Reply): void {
    if (this.closed) return;
    if (this.replies === "on" && !this.skipsNext) this.outlet.reply(reply);
    else this.#answerMuted(reply);
    if (this.closeAfterReply) this.outlet.close();
  }

  /** Messages pass, also those which confirm a subscription. */
  #answerMuted(reply: Reply): void {
    if (reply instanceof Several && reply.replies.every((one) => one instanceof Push)) this.outlet.reply(reply);
    if (this.replies !== "off") this.replies = this.skipsNext ? "skip" : "on";
    this.skipsNext = false;
  }

  push(message: Push | Status): void {
    if (!this.closed) this.outlet.push(message);
  }

  unwatch(): void {
    for (const watch of this.watches) {
      const watchers = watch.db.watches.get(watch.key);
      if (watchers?.delete(watch) === true && watchers.size === 0) watch.db.watches.delete(watch.key);
    }
    this.watches.clear();
  }

  discardTransaction(): void {
    this.transaction = undefined;
    this.watchedKeyChanged = false;
    this.unwatch();
  }

  /** RESET: as new, except for id and address. */
  reset(): void {
    this.engine.tracking.disable(this);
    this.engine.monitors.delete(this);
    this.db = this.engine.database(0);
    this.resp = 2;
    this.user = this.engine.users.default;
    this.authenticated = this.user.open;
    this.discardTransaction();
    this.engine.pubsub.unsubscribeAll(this);
    this.name = "";
    // CLIENT REPLY SKIP before it silences RESET's own answer, too.
    if (this.replies !== "skip") this.replies = "on";
  }

  /** The connection is gone. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.waiter !== undefined) this.engine.blocked.forget(this.waiter);
    this.postponed = undefined;
    this.discardTransaction();
    this.engine.pubsub.unsubscribeAll(this);
    this.engine.tracking.disable(this);
    this.engine.monitors.delete(this);
    this.engine.pause.forget(this);
    this.engine.sessions.delete(this.id);
  }
}
