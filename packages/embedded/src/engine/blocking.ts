/**
 * Clients that wait for a key. A changed key for which somebody waits is noted while a command runs; when the command is over
 * the waiters of each noted key are tried in order of arrival.
 */
import type { Timer } from "../base/clock.ts";
import type { Database } from "./database.ts";
import type { Engine } from "./engine.ts";
import { replyTo } from "../base/errors.ts";
import { ErrorReply, type Reply } from "../base/reply.ts";
import type { Session } from "./session.ts";

export interface BlockRequest {
  readonly keys: readonly string[];
  /** 0 waits for ever. */
  readonly timeoutMs: number;
  /** Tries again now that `key` has changed; undefined when there is still nothing for this client. */
  serve(key: string): Reply | undefined;
  /** The answer when the time is over. */
  readonly timeoutReply: Reply;
}

export interface Waiter {
  readonly session: Session;
  readonly db: Database;
  readonly request: BlockRequest;
  timer: Timer | undefined;
}

export class BlockedClients {
  readonly #engine: Engine;
  /** Changed keys for which somebody waits, by database and name, in order. */
  #ready = new Map<string, { readonly db: Database; readonly key: string }>();
  readonly #waiting = new Set<Waiter>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get size(): number {
    return this.#waiting.size;
  }

  block(session: Session, request: BlockRequest): void {
    const waiter: Waiter = { session, db: session.db, request, timer: undefined };
    session.waiter = waiter;
    this.#waiting.add(waiter);
    for (const key of request.keys) {
      const queue = waiter.db.waiters.get(key);
      if (queue === undefined) waiter.db.waiters.set(key, new Set([waiter]));
      else queue.add(waiter);
    }
    if (request.timeoutMs > 0) {
      waiter.timer = this.#engine.setTimer(request.timeoutMs, () =>
        this.#engine.outsideCommand(() => this.release(waiter, request.timeoutReply)),
      );
    }
  }

  /** Ends the wait with an answer: served, timed out, CLIENT UNBLOCK. */
  release(waiter: Waiter, reply: Reply): void {
    if (!this.#waiting.has(waiter)) return;
    this.forget(waiter);
    if (reply instanceof ErrorReply) this.#engine.stats.failed(waiter.session.lastCommand, reply);
    waiter.session.answer(reply);
    this.#engine.pause.resume(waiter.session);
  }

  /** Ends the wait without an answer: the client is gone. */
  forget(waiter: Waiter): void {
    if (!this.#waiting.delete(waiter)) return;
    waiter.timer?.cancel();
    waiter.session.waiter = undefined;
    for (const key of waiter.request.keys) {
      const queue = waiter.db.waiters.get(key);
      if (queue?.delete(waiter) === true && queue.size === 0) waiter.db.waiters.delete(key);
    }
  }

  /** Something changed at a key for which somebody waits. */
  signal(db: Database, key: string): void {
    const name = `${db.index}:${key}`;
    if (!this.#ready.has(name)) this.#ready.set(name, { db, key });
  }

  /** After SWAPDB or a restore anything may be there. */
  signalAll(db: Database): void {
    for (const key of db.waiters.keys()) if (db.has(key)) this.signal(db, key);
  }

  /** Serves until no noted key is left: what one client receives may wake the next (BLMOVE). */
  serve(): void {
    while (this.#ready.size > 0) {
      const batch = this.#ready;
      this.#ready = new Map();
      for (const { db, key } of batch.values()) this.#serveKey(db, key);
    }
  }

  #serveKey(db: Database, key: string): void {
    for (const waiter of Array.from(db.waiters.get(key) ?? [])) {
      this.#engine.current = waiter.session;
      const reply = attempt(waiter, key);
      if (reply === undefined) continue;
      this.release(waiter, reply);
      this.#engine.informCaches(waiter.session);
    }
  }
}

function attempt({ request, session }: Waiter, key: string): Reply | undefined {
  try {
    return request.serve(key);
  } catch (error) {
    return replyTo(error, session.lastCommand);
  }
}

export const UNBLOCKED: ErrorReply = new ErrorReply("UNBLOCKED client unblocked via CLIENT UNBLOCK");
