/**
 * What was read of windows that are over, per handle: read once, and kept in this process for a minute, as somebody may still add to them
 * late or remove them.
 */
import type { Runtime } from "../../base/runtime.ts";

interface Closed<T> {
  readonly from: number;
  readonly to: number;
  /** Undefined while it is read. */
  readonly read: T | undefined;
  readonly until: number;
}

const KEPT_MS = 60_000;
/** A window that is over for so long has, as a rule, all that was on its way to it. */
export const SETTLED_MS = 10_000;

const ofHandles = new WeakMap<object, Map<string, Map<string, Closed<unknown>>>>();

export class ClosedWindows<T> {
  readonly #runtime: Runtime;
  readonly #space: string;
  readonly #most: number;
  readonly #isSmall: (read: T) => boolean;
  readonly #known: Map<string, Closed<unknown>>;

  /**
   * @param handle all instances of one handle, noun and space share it
   * @param space names the instance and its windows
   * @param most entries of all instances of the noun
   * @param isSmall whether what was read is kept: together the entries are to take little memory
   */
  constructor(
    handle: object,
    runtime: Runtime,
    noun: string,
    space: string,
    most: number,
    isSmall: (read: T) => boolean,
  ) {
    this.#runtime = runtime;
    this.#space = `${space}\0`;
    this.#most = most;
    this.#isSmall = isSmall;
    let nouns = ofHandles.get(handle);
    if (nouns === undefined) ofHandles.set(handle, (nouns = new Map()));
    let known = nouns.get(noun);
    if (known === undefined) nouns.set(noun, (known = new Map()));
    this.#known = known;
  }

  /** Of the windows numbered `from` to `to`: what is known, else what `read` resolves with. */
  async read(id: string, from: number, to: number, read: () => Promise<T>): Promise<T> {
    const key = this.#space + id;
    const now = this.#runtime.now();
    const known = this.#known.get(key) as Closed<T> | undefined;
    if (known?.read !== undefined && known.from === from && known.to === to && known.until > now) return known.read;
    const pending: Closed<T> = { from, to, read: undefined, until: 0 };
    this.#keep(key, pending);
    const found = await read();
    // Unless it was forgotten meanwhile.
    if (this.#known.get(key) !== pending) return found;
    if (this.#isSmall(found)) this.#keep(key, { from, to, read: found, until: now + KEPT_MS });
    else this.#known.delete(key);
    return found;
  }

  forget(id: string): void {
    this.#known.delete(this.#space + id);
  }

  #keep(key: string, closed: Closed<T>): void {
    this.#known.delete(key);
    this.#known.set(key, closed);
    if (this.#known.size <= this.#most) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }
}
