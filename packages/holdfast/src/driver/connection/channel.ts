/** One channel, pattern or sharded channel: its listeners, and where it is subscribed at present. */
import type { ChannelKind, ChannelListener } from "../port.ts";
import type { MessageListener, RawClient } from "./raw-client.ts";
import type { Connection } from "./connection.ts";
import { guarded } from "./guarded.ts";

/** One call of subscribe(): the same listener may be given twice, each with a subscription of its own. */
export interface Member {
  readonly listener: ChannelListener;
}

const SUBSCRIBE = { exact: "SUBSCRIBE", pattern: "PSUBSCRIBE", sharded: "SSUBSCRIBE" } as const;
const UNSUBSCRIBE = { exact: "UNSUBSCRIBE", pattern: "PUNSUBSCRIBE", sharded: "SUNSUBSCRIBE" } as const;

export class SubscribedChannel {
  readonly kind: ChannelKind;
  readonly name: string;
  readonly members: Set<Member> = new Set();
  /** The connection on which the server has confirmed the subscription. */
  home: Connection | undefined;
  /** The try that is under way. */
  establishing: Promise<void> | undefined;
  /** True while a lost subscription is being restored. */
  restoring = false;
  readonly #missed = new Set<Member>();
  #lossCause: unknown;

  constructor(kind: ChannelKind, name: string) {
    this.kind = kind;
    this.name = name;
  }

  async subscribeOn(connection: Connection): Promise<void> {
    await command(connection.client, SUBSCRIBE[this.kind], this.name, this.#deliver);
    if (connection.isOver) await connection.ended.then(rethrow);
    this.home = connection;
  }

  /** Resolves when the server confirmed, or the connection is gone. */
  async unsubscribe(): Promise<void> {
    const { home } = this;
    this.home = undefined;
    if (home === undefined || home.isOver) return;
    const left = command(home.client, UNSUBSCRIBE[this.kind], this.name, this.#deliver).catch(() => undefined);
    await Promise.race([left, home.ended]);
  }

  /** From here on messages may be missed; those who listen now are told when the subscription stands again. */
  lose(cause: unknown): void {
    this.home = undefined;
    this.#lossCause = cause;
    for (const member of this.members) this.#missed.add(member);
  }

  reportGap(): void {
    const missed = [...this.#missed].filter((member) => this.members.has(member));
    this.#missed.clear();
    for (const { listener } of missed) guarded("a channel listener", listener, () => listener.gap(this.#lossCause));
  }

  readonly #deliver: MessageListener = (payload, channel) => {
    const name = channel.toString();
    for (const { listener } of this.members)
      guarded("a channel listener", listener, () => listener.message(payload, name));
  };
}

type SubscribeName = (typeof SUBSCRIBE)[ChannelKind] | (typeof UNSUBSCRIBE)[ChannelKind];

function command(client: RawClient, name: SubscribeName, channel: string, deliver: MessageListener): Promise<void> {
  return client[name](channel, deliver, true);
}

function rethrow(cause: unknown): never {
  throw cause;
}
