/** What is known of tags: the sequence of the last invalidation of each, 0 for those without; the ones learned last. */

/** A process knows as many as the server. */
export const MAX_TAGS = 10_000;

type Ask = (tags: readonly string[], timeoutMs: number) => Promise<void>;

export class KnownTags {
  readonly #ask: Ask;
  readonly #versions = new Map<string, number>();
  /** By how long who has asked waits. */
  readonly #learning = new Map<number, Map<string, Promise<void>>>();

  /** @param ask asks for the versions of tags, and sets them */
  constructor(ask: Ask) {
    this.#ask = ask;
  }

  get(tag: string): number | undefined {
    return this.#versions.get(tag);
  }

  set(tag: string, version: number): void {
    const known = this.#versions.get(tag) ?? -1;
    if (known < 0 && this.#versions.size >= MAX_TAGS) this.#versions.delete(this.#versions.keys().next().value!);
    this.#versions.set(tag, Math.max(known, version));
  }

  clear(): void {
    this.#versions.clear();
  }

  /** Resolves once those of these tags are known that were not. Nothing is asked for twice at a time by callers that wait equally long. */
  async learn(tags: readonly string[], timeoutMs: number): Promise<void> {
    const learning = this.#learning.get(timeoutMs) ?? new Map<string, Promise<void>>();
    this.#learning.set(timeoutMs, learning);
    const missing = tags.filter((tag) => !this.#versions.has(tag));
    const unknown = missing.filter((tag) => !learning.has(tag));
    if (unknown.length > 0) {
      const learned = this.#ask(unknown, timeoutMs).finally(() => unknown.forEach((tag) => learning.delete(tag)));
      for (const tag of unknown) learning.set(tag, learned);
    }
    for (const tag of missing) await learning.get(tag);
  }
}
