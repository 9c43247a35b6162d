/** Which series of which periods this process has registered already: the others are registered before their first point. */
import type { SeriesRegistry } from "./registry.ts";
import type { RegisterResult } from "./scripts.gen.ts";
import { lateMs } from "./sealing.ts";
import type { Place, SeriesStore } from "./store.ts";

interface Registered {
  readonly labels: string;
  /** Until the server has answered. */
  pending: Promise<RegisterResult> | undefined;
}

export class KnownPeriods {
  readonly #store: SeriesStore;
  readonly #registry: SeriesRegistry;
  readonly #known = new Map<string, Registered>();
  /** What is asked again in this tick. */
  readonly #again = new Map<string, Promise<void>>();

  constructor(store: SeriesStore, registry: SeriesRegistry) {
    this.#store = store;
    this.#registry = registry;
  }

  /** Undefined where it is known already. @param labels as text; empty: as they are */
  register(place: Place, now: number, labels: string): Promise<RegisterResult> | undefined {
    const key = `${place.period}:${place.id}`;
    const known = this.#known.get(key);
    // One that is over may be sealed by now, and is then to be sealed again.
    const isOver = this.#store.startOf(place.period + 1) <= now;
    const isSame = known !== undefined && (labels === "" || labels === known.labels);
    if (isSame && (!isOver || known.pending !== undefined)) return known.pending;
    const registered: Registered = { labels: labels === "" ? (known?.labels ?? "") : labels, pending: undefined };
    registered.pending = this.#send(key, registered, place, labels, isOver);
    this.#keep(key, registered);
    return registered.pending;
  }

  /** When a chunk was opened: nothing that was asked before is enough. The points of a chunk are answered in one tick, and ask once. */
  again(place: Place): Promise<void> {
    const key = `${place.period}:${place.id}`;
    let asking = this.#again.get(key);
    if (asking === undefined) this.#again.set(key, (asking = this.#askAgain(key, place)));
    return asking;
  }

  forget(id: string): void {
    for (const key of this.#known.keys()) if (key.slice(key.indexOf(":") + 1) === id) this.#known.delete(key);
  }

  async #askAgain(key: string, place: Place): Promise<void> {
    await Promise.resolve();
    this.#again.delete(key);
    const late = lateMs(this.#store.settings);
    await this.#registry.register(place, this.#store.startOf(place.period + 1) + late, late, "");
  }

  async #send(
    key: string,
    registered: Registered,
    place: Place,
    labels: string,
    isOver: boolean,
  ): Promise<RegisterResult> {
    const late = lateMs(this.#store.settings);
    let isKnown = false;
    try {
      const result = await this.#registry.register(place, this.#store.startOf(place.period + 1) + late, late, labels);
      isKnown = result.status === "ok" && !isOver;
      return result;
    } finally {
      registered.pending = undefined;
      if (!isKnown && this.#known.get(key) === registered) this.#known.delete(key);
    }
  }

  #keep(key: string, registered: Registered): void {
    this.#known.delete(key);
    this.#known.set(key, registered);
    // Of each series this period, and the one before for points that are on their way.
    if (this.#known.size <= 2 * this.#store.settings.maxSeries) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }
}
