/** What a subscription reports besides messages. Nothing that a user's function throws gets out of here. */
import type { ChannelGap, Consumption, ChannelRawMessage } from "./options.ts";

export class Reports {
  readonly #label: string;
  readonly #onGap: Consumption["onGap"];
  readonly #onError: Consumption["onError"];
  #warned = false;

  constructor(label: string, { onGap, onError }: Pick<Consumption, "onGap" | "onError">) {
    this.#label = label;
    this.#onGap = onGap;
    this.#onError = onError;
  }

  async gap(gap: ChannelGap): Promise<void> {
    try {
      await this.#onGap?.(gap);
    } catch (error) {
      this.error(error, undefined);
    }
  }

  error(error: unknown, message: ChannelRawMessage | undefined): void {
    if (this.#onError === undefined) return this.#warn(error);
    try {
      this.#onError(error, message);
    } catch (failure) {
      this.#warn(failure);
    }
  }

  /** Once: what fails for one message mostly fails for all of them. */
  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`${this.#label}: ${reason}`, { code: "HOLDFAST_CHANNEL" });
  }
}
