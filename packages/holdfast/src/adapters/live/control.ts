/** Words from process to process: a channel of the fleet. One that is lost is made up for by asking again. */
import type { Channel } from "../../channel/channel.ts";
import type { ChannelSubscription } from "../../channel/dispatcher.ts";
import type { Holdfast } from "../../holdfast.ts";

export type ControlMessage =
  | { readonly type: "end"; readonly user?: string; readonly session?: string }
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
  /** How many ends have been heard of. */
  endings = 0;
  readonly #channel: Channel<ControlMessage>;
  readonly #listener: { message(message: ControlMessage): void; gap(): void };
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
        this.endings += 1;
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

  async send(message: ControlMessage): Promise<void> {
    await this.#channel.publish(message);
  }

  async close(): Promise<void> {
    await (await this.#subscription?.catch(() => undefined))?.close();
  }

  #hear(message: ControlMessage): void {
    if (message.type === "end") this.endings += 1;
    this.#listener.message(message);
  }
}
