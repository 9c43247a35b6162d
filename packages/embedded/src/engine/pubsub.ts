/** Channels, patterns and shard channels, and their listeners. */
import { matches } from "../base/glob.ts";
import { Push } from "../base/reply.ts";
import type { Session } from "./session.ts";

export type SubscriptionKind = "channel" | "pattern" | "shard";

export class PubSub {
  readonly #tables: Readonly<Record<SubscriptionKind, Map<string, Set<Session>>>> = {
    channel: new Map(),
    pattern: new Map(),
    shard: new Map(),
  };

  /** False when the session listened already. */
  subscribe(kind: SubscriptionKind, name: string, session: Session): boolean {
    const own = session.subscriptions[kind];
    if (own.has(name)) return false;
    own.add(name);
    const listeners = this.#tables[kind].get(name);
    if (listeners === undefined) this.#tables[kind].set(name, new Set([session]));
    else listeners.add(session);
    return true;
  }

  unsubscribe(kind: SubscriptionKind, name: string, session: Session): boolean {
    if (!session.subscriptions[kind].delete(name)) return false;
    const listeners = this.#tables[kind].get(name);
    if (listeners?.delete(session) === true && listeners.size === 0) this.#tables[kind].delete(name);
    return true;
  }

  unsubscribeAll(session: Session): void {
    for (const kind of ["channel", "pattern", "shard"] as const) {
      for (const name of Array.from(session.subscriptions[kind])) this.unsubscribe(kind, name, session);
    }
  }

  /** Number of clients that received it; one that listens by name and by pattern counts twice. */
  publish(channel: string, message: string): number {
    let receivers = this.#deliver(this.#tables.channel.get(channel), new Push(["message", channel, message]));
    for (const [pattern, listeners] of this.#tables.pattern) {
      if (!matches(pattern, channel)) continue;
      receivers += this.#deliver(listeners, new Push(["pmessage", pattern, channel, message]));
    }
    return receivers;
  }

  publishToShard(channel: string, message: string): number {
    return this.#deliver(this.#tables.shard.get(channel), new Push(["smessage", channel, message]));
  }

  /** Names with at least one listener. */
  active(kind: SubscriptionKind, pattern?: string): string[] {
    return [...this.#tables[kind].keys()].filter((name) => pattern === undefined || matches(pattern, name));
  }

  listeners(kind: SubscriptionKind, name: string): number {
    return this.#tables[kind].get(name)?.size ?? 0;
  }

  count(kind: SubscriptionKind): number {
    return this.#tables[kind].size;
  }

  #deliver(listeners: ReadonlySet<Session> | undefined, message: Push): number {
    if (listeners === undefined) return 0;
    for (const session of listeners) session.push(message);
    return listeners.size;
  }
}
