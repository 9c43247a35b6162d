/** One subscription to a channel per process, however many clients it is for; each message is made JSON once. */
import { type Channel, ChannelPattern } from "../../channel/channel.ts";
import type { ChannelSubscription } from "../../channel/dispatcher.ts";

export type AnyChannel = Channel<unknown> | ChannelPattern<unknown>;

/** A message that several clients get. */
export class FannedMessage {
  readonly value: unknown;
  #json: string | undefined;

  constructor(value: unknown) {
    this.value = value;
  }

  /** @throws TypeError for what JSON cannot say */
  get json(): string {
    this.#json ??= jsonOf(this.value);
    return this.#json;
  }
}

export interface FanListener {
  message(message: FannedMessage): void;
  /** @param count of the messages that are missing; null where nobody knows */
  gap(count: number | null): void;
}

interface Fan {
  readonly listeners: Set<FanListener>;
  readonly subscription: Promise<ChannelSubscription>;
}

export class FanOut {
  readonly #fans = new Map<string, Fan>();

  /**
   * Resolves when the server has confirmed, with the function that leaves. Rejects as `channel.subscribe` does.
   * @param scope what is joined under one scope and name is one and the same channel
   */
  async join(scope: string, channel: AnyChannel, listener: FanListener): Promise<() => void> {
    const isPattern = channel instanceof ChannelPattern;
    const key = `${scope}\n${isPattern ? `pattern ${channel.pattern}` : `channel ${channel.name}`}`;
    const fan = this.#fans.get(key) ?? this.#open(key, channel);
    fan.listeners.add(listener);
    const leave = (): void => this.#leave(key, fan, listener);
    try {
      await fan.subscription;
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  }

  #open(key: string, channel: AnyChannel): Fan {
    const listeners = new Set<FanListener>();
    const onGap = ({ dropped, disconnected }: { dropped: number; disconnected: boolean }): void => {
      for (const listener of listeners) listener.gap(disconnected ? null : dropped);
    };
    const tell = (value: unknown): void => {
      const message = new FannedMessage(value);
      for (const listener of listeners) listener.message(message);
    };
    const subscription =
      channel instanceof ChannelPattern
        ? channel.subscribe((message, { channel: name }) => tell({ channel: name, message }), { onGap })
        : channel.subscribe(tell, { onGap });
    const fan: Fan = { listeners, subscription };
    this.#fans.set(key, fan);
    return fan;
  }

  #leave(key: string, fan: Fan, listener: FanListener): void {
    if (!fan.listeners.delete(listener) || fan.listeners.size > 0) return;
    if (this.#fans.get(key) === fan) this.#fans.delete(key);
    fan.subscription.then(
      (subscription) => subscription.close(),
      () => undefined,
    );
  }
}

/** On one line, as an event has it. @throws TypeError for what JSON cannot say */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}
