/**
 * Server-assisted client-side caching (CLIENT TRACKING). By default the table remembers who read which key and informs
 * them once; in broadcast mode clients register prefixes and learn of each change below them.
 */
import type { Engine } from "./engine.ts";
import { NIL, Push, type Reply } from "../base/reply.ts";
import type { Session } from "./session.ts";

export interface TrackingOptions {
  /** Id of the client that receives the messages; 0 for the client itself. */
  readonly redirect: number;
  readonly broadcast: boolean;
  readonly optIn: boolean;
  readonly optOut: boolean;
  readonly noLoop: boolean;
  readonly prefixes: readonly string[];
}

export interface TrackingState extends TrackingOptions {
  readonly registered: Set<string>;
  /** The redirection's target is gone. */
  broken: boolean;
  /** CLIENT CACHING was called: it holds for the next command. */
  caching: boolean;
}

interface Prefix {
  readonly sessions: Set<Session>;
  /** Changed keys, each with the session that changed it last. */
  readonly keys: Map<string, Session | undefined>;
}

const CHANNEL = "__redis__:invalidate";

export class Tracking {
  readonly #engine: Engine;
  /** Numbers of sessions by key: one that has ended stays until the key changes, as with Redis, and must not be held whole. */
  readonly #readers = new Map<string, Set<number>>();
  readonly #prefixes = new Map<string, Prefix>();
  readonly #clients = new Set<Session>();
  /** `tracking-table-max-keys` */
  #maxKeys = 1_000_000;
  /** What the running command's own client will receive once its answer is written. */
  #pending: Reply[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Whether changes are of interest at all. */
  get active(): boolean {
    return this.#readers.size > 0 || this.#prefixes.size > 0;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  get keyCount(): number {
    return this.#readers.size;
  }

  get itemCount(): number {
    let items = 0;
    for (const readers of this.#readers.values()) items += readers.size;
    return items;
  }

  get prefixCount(): number {
    return this.#prefixes.size;
  }

  enable(session: Session, options: TrackingOptions): void {
    const registered = session.tracking?.registered ?? new Set<string>();
    if (options.broadcast) {
      const added = options.prefixes.length === 0 ? [""] : options.prefixes;
      for (const prefix of added) this.#register(session, prefix, registered);
    }
    session.lastRedirect = options.redirect;
    session.tracking = { ...options, registered, broken: false, caching: session.tracking?.caching ?? false };
    this.#clients.add(session);
  }

  disable(session: Session): void {
    for (const name of session.tracking?.registered ?? []) {
      const prefix = this.#prefixes.get(name);
      if (prefix?.sessions.delete(session) === true && prefix.sessions.size === 0) this.#prefixes.delete(name);
    }
    session.tracking = undefined;
    this.#clients.delete(session);
  }

  #register(session: Session, name: string, registered: Set<string>): void {
    const prefix = this.#prefixes.get(name);
    if (prefix === undefined) this.#prefixes.set(name, { sessions: new Set([session]), keys: new Map() });
    else prefix.sessions.add(session);
    registered.add(name);
  }

  /** The session read these keys and will learn of the next change of each. */
  remember(session: Session, keys: readonly string[]): void {
    for (const key of keys) {
      const readers = this.#readers.get(key);
      if (readers === undefined) this.#readers.set(key, new Set([session.id]));
      else readers.add(session.id);
    }
    this.limit(this.#maxKeys);
  }

  /** The table forgets keys beyond `max`, which is to say that they changed. 0 is no limit. */
  limit(max: number): void {
    this.#maxKeys = max;
    if (max === 0 || this.#readers.size <= max) return;
    for (const key of this.#readers.keys()) {
      if (this.#readers.size <= max) return;
      this.#informReaders(key, true);
    }
  }

  keyChanged(key: string): void {
    // What a script changes is nobody's own to NOLOOP with BCAST.
    const author = this.#engine.caller === undefined ? this.#engine.current : undefined;
    for (const [name, prefix] of this.#prefixes) {
      if (key.startsWith(name)) prefix.keys.set(key, author);
    }
    this.#informReaders(key, false);
  }

  /** NOLOOP is about a client's own changes; that the table is full is nobody's. */
  #informReaders(key: string, evicted: boolean): void {
    const readers = this.#readers.get(key);
    if (readers === undefined) return;
    this.#readers.delete(key);
    for (const id of readers) {
      const session = this.#engine.sessions.get(id);
      const state = session?.tracking;
      if (session === undefined || state === undefined || state.broadcast) continue;
      const own = session === this.#engine.current;
      if (own && state.noLoop && !evicted) continue;
      if (own) this.#pending.push([key]);
      else this.#send(session, state, [key]);
    }
  }

  /** FLUSHDB and FLUSHALL: everything is invalid. */
  flushed(): void {
    for (const session of this.#clients) {
      if (session === this.#engine.current) this.#pending.push(NIL);
      else if (session.tracking !== undefined) this.#send(session, session.tracking, NIL);
    }
    this.#readers.clear();
  }

  /** After the command's answer: what waited for it. */
  informAuthor(session: Session | undefined): void {
    const messages = this.#pending;
    if (messages.length === 0) return;
    this.#pending = [];
    if (session === undefined) return;
    // In a transaction tracking may have ended since; the redirection stays known.
    const state = session.tracking ?? { redirect: session.lastRedirect, broken: false };
    for (const keys of messages) this.#send(session, state, keys);
  }

  /** After a command and what it caused, in the order of the prefixes. */
  broadcastChanges(): void {
    if (this.#prefixes.size === 0) return;
    const ordered = [...this.#prefixes].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, prefix] of ordered) if (prefix.keys.size > 0) this.#broadcast(prefix);
  }

  #broadcast(prefix: Prefix): void {
    const changes = [...prefix.keys].sort(([a], [b]) => (a < b ? -1 : 1));
    prefix.keys.clear();
    for (const session of prefix.sessions) {
      const state = session.tracking;
      if (state === undefined) continue;
      const told = state.noLoop ? changes.filter(([, by]) => by !== session) : changes;
      if (told.length > 0)
        this.#send(
          session,
          state,
          told.map(([key]) => key),
        );
    }
  }

  #send(session: Session, state: Pick<TrackingState, "redirect" | "broken">, keys: Reply): void {
    if (state.redirect === 0) {
      if (session.resp === 3) session.push(new Push(["invalidate", keys]));
      return;
    }
    const target = this.#engine.sessions.get(state.redirect);
    if (target === undefined) {
      state.broken = true;
      if (session.resp === 3) session.push(new Push(["tracking-redir-broken", state.redirect]));
    } else if (target.resp === 3) {
      target.push(new Push(["invalidate", keys]));
    } else if (target.isSubscriber) {
      target.push(new Push(["message", CHANNEL, keys]));
    }
  }
}
