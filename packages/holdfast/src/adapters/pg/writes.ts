/** Which code runs inside a write: what is cached of its tables is from before it. */
import { AsyncLocalStorage } from "node:async_hooks";
import { HoldfastError } from "../../base/errors.ts";

interface Writing {
  readonly tags: ReadonlySet<string>;
  /** Code that a write has begun may go on after it. */
  isOver: boolean;
}

export class Writes {
  readonly #current = new AsyncLocalStorage<Writing>();

  async run<T>(tags: readonly string[], body: () => Promise<T>): Promise<T> {
    const outer = this.#current.getStore();
    const inherited = outer === undefined || outer.isOver ? [] : outer.tags;
    const writing: Writing = { tags: new Set([...inherited, ...tags]), isOver: false };
    try {
      return await this.#current.run(writing, body);
    } finally {
      writing.isOver = true;
    }
  }

  /** @throws HoldfastError `CONFLICT` where the caller is inside a write of one of these tables */
  refuse(where: string, tags: readonly string[], op: string): void {
    const writing = this.#current.getStore();
    if (writing === undefined || writing.isOver || !tags.some((tag) => writing.tags.has(tag))) return;
    const message = `${where}: a result of tables that the write around this call is about would be from before it; use the client that write gives to its function`;
    throw new HoldfastError("CONFLICT", message, { op });
  }
}
