/** What is told to a user's functions, and to the process where there are none. Nothing that they throw gets out of here. */
import { inform } from "../../base/inform.ts";

export interface ReportsTo<Gap, Message> {
  readonly onGap?: ((gap: Gap) => unknown) | undefined;
  readonly onError: ((error: unknown, message: Message | undefined) => void) | undefined;
}

export class Reports<Gap, Message> {
  readonly #label: string;
  readonly #code: string;
  readonly #to: ReportsTo<Gap, Message>;
  #warned = false;

  /** @param code of the process warning */
  constructor(label: string, code: string, to: ReportsTo<Gap, Message>) {
    this.#label = label;
    this.#code = code;
    this.#to = to;
  }

  async gap(gap: Gap): Promise<void> {
    try {
      await this.#to.onGap?.(gap);
    } catch (error) {
      this.error(error);
    }
  }

  error(error: unknown, message?: Message): void {
    const { onError } = this.#to;
    if (onError === undefined) return this.#warn(error);
    inform(
      () => onError(error, message),
      (failure) => this.#warn(failure),
    );
  }

  /** Once: what fails for one message mostly fails for all of them. */
  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`${this.#label}: ${reason}`, { code: this.#code });
  }
}
