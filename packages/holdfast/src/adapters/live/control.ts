/** Words from process to process: a channel of the fleet. One that is lost is made up for by asking again. */
import type { Channel } from "../../channel/channel.ts";
import type { ChannelSubscription } from "../../channel/dispatcher.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { LiveIdentity } from "./options.ts";

interface EndMessage {
  readonly type: "end";
  readonly user?: string;
  readonly session?: string;
}

export type ControlMessage =
  | EndMessage
  | {
      readonly type: "change";
      readonly connection: string;
      readonly add: readonly string[];
      readonly remove: readonly string[];
      readonly cursors: readonly (readonly [string, string])[];
    };

export class Control {
  /** Of the channel, without what is behind it. */
  readonly name: string;
  readonly #channel: Channel<ControlMessage>;
  readonly #listener: { message(message: ControlMessage): void; gap(): void };
  /** What has ended since each began to listen; undefined for words that may have been missed. */
  readonly #listening = new Set<(EndMessage | undefined)[]>();
  #subscription: Promise<ChannelSubscription> | undefined;

  constructor(hf: Holdfast, name: string, listener: { message(message: ControlMessage): void; gap(): void }) {
    this.name = `live:${name}`;
    this.#channel = hf.channel(this.name);
    this.#listener = listener;
  }

  /** Resolves when what is sent from then on is heard; rejects as `channel.subscribe` does. */
  async open(): Promise<void> {
    this.#subscription ??= this.#channel.subscribe((message) => this.#hear(message), {
      onGap: () => {
        this.#ended(undefined);
        this.#listener.gap();
      },
    });
    try {
      await this.#subscription;
    } catch (error) {
      this.#subscription = undefined;
      throw error;
    }
  }

  /** Whose it is, by `identify`, which is asked again where that one was ended meanwhile. */
  async identified(identify: () => Promise<LiveIdentity | undefined>): Promise<LiveIdentity | undefined> {
    for (;;) {
      await this.open();
      const ends: (EndMessage | undefined)[] = [];
      this.#listening.add(ends);
      try {
        const identity = await identify();
        if (identity === undefined) return undefined;
        if (!ends.some((end) => end === undefined || isMeant(end, identity))) return identity;
      } finally {
        this.#listening.delete(ends);
      }
    }
  }

  async send(message: ControlMessage): Promise<void> {
    await this.#channel.publish(message);
  }

  async close(): Promise<void> {
    await (await this.#subscription?.catch(() => undefined))?.close();
  }

  #hear(message: ControlMessage): void {
    if (message.type === "end") this.#ended(message);
    this.#listener.message(message);
  }

  #ended(end: EndMessage | undefined): void {
    for (const ends of this.#listening) ends.push(end);
  }
}

export function isMeant({ user, session }: EndMessage, identity: LiveIdentity): boolean {
  return user === undefined ? identity.session === session : identity.user === user;
}
