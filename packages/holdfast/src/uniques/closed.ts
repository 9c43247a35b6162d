/**
 * What was read of windows that are over, per handle: merged once, and kept in this process for a minute, as somebody may still add to them
 * late or remove them.
 */
import type { Core } from "../core/core.ts";
import { Union } from "./union.ts";

interface Closed {
  readonly from: number;
  readonly to: number;
  readonly union: Union;
  readonly until: number;
}

const KEPT_MS = 60_000;
/** Each has up to 16 KB, or as much as the list of its hashes. */
const MOST = 256;

const ofHandles = new WeakMap<Core, Map<string, Closed>>();

export class ClosedWindows {
  readonly #core: Core;
  readonly #space: string;
  readonly #known: Map<string, Closed>;

  /** @param space names the instance and its windows */
  constructor(core: Core, space: string) {
    this.#core = core;
    this.#space = `${space}\0`;
    let known = ofHandles.get(core);
    if (known === undefined) ofHandles.set(core, (known = new Map()));
    this.#known = known;
  }

  /** The union of the windows numbered `from` to `to`, read by `read` where it is not known. */
  async union(id: string, from: number, to: number, read: () => Promise<Union>): Promise<Union> {
    const key = this.#space + id;
    const now = this.#core.driver.runtime.now();
    const known = this.#known.get(key);
    if (known !== undefined && known.from === from && known.to === to && known.until > now) return known.union;
    const pending: Closed = { from, to, union: new Union(), until: 0 };
    this.#keep(key, pending);
    const union = await read();
    // Unless it was forgotten meanwhile.
    if (this.#known.get(key) === pending) this.#keep(key, { from, to, union, until: now + KEPT_MS });
    return union;
  }

  forget(id: string): void {
    this.#known.delete(this.#space + id);
  }

  #keep(key: string, closed: Closed): void {
    this.#known.delete(key);
    this.#known.set(key, closed);
    if (this.#known.size <= MOST) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }
}
