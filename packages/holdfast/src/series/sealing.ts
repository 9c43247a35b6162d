/**
 * Sealing: the points of a period that is over are sorted, put in few bytes and rolled up, by whichever process uses the series next. A point
 * that comes later opens the period again, which is then sealed once more with all its points.
 */
import { isOutage } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import { Reports } from "../core/observe/reports.ts";
import { summarized, writeSummaries } from "./aggregate/summary.ts";
import { readOpen, readSealed, seal, SEALED_HEAD_BYTES } from "./chunk/chunk.ts";
import { settled } from "./chunk/points.ts";
import type { SeriesSettings } from "./options.ts";
import type { SeriesRegistry } from "./registry.ts";
import type { Place, SeriesStore } from "./store.ts";

/** Periods that one request takes. */
const BATCH = 16;
/** So long they are this process's. */
const LEASE_MS = 60_000;
const MAX_LATE_MS = 60_000;
/** Where points come meanwhile; after that the period waits until its lease is over. */
const MAX_ATTEMPTS = 5;

/** After the end of a period, and between two looks: for points that are on their way. */
export function lateMs({ periodMs }: SeriesSettings): number {
  return Math.min(periodMs, MAX_LATE_MS);
}

/** Of all instances of one name. */
interface Looks {
  at: number;
  reports: Reports<never, never>;
}

const looks = new WeakMap<Core, Map<string, Looks>>();

export class Sealing {
  readonly #core: Core;
  readonly #store: SeriesStore;
  readonly #registry: SeriesRegistry;
  readonly #looks: Looks;

  constructor(core: Core, store: SeriesStore, registry: SeriesRegistry, where: string) {
    this.#core = core;
    this.#store = store;
    this.#registry = registry;
    let ofHandle = looks.get(core);
    if (ofHandle === undefined) looks.set(core, (ofHandle = new Map()));
    let ofName = ofHandle.get(store.name);
    if (ofName === undefined) {
      const reports = new Reports<never, never>(`${where}: sealing`, "HOLDFAST_SERIES", { onError: undefined });
      ofHandle.set(store.name, (ofName = { at: 0, reports }));
    }
    this.#looks = ofName;
  }

  /** Called with each use; looks for what is due now and then, and returns before that is done. */
  notice(): void {
    const { runtime } = this.#core.driver;
    const now = runtime.now();
    if (now < this.#looks.at || this.#core.isClosing) return;
    this.#looks.at = now + lateMs(this.#store.settings) * (0.5 + runtime.random());
    void this.#sealDue();
  }

  async #sealDue(): Promise<void> {
    try {
      while (!this.#core.isClosing) {
        const due = await this.#registry.due(BATCH, LEASE_MS);
        for (const member of due) await this.#sealOne(member);
        if (due.length < BATCH) return;
      }
    } catch (error) {
      // An outage: those that are left come again when their lease is over.
      if (!isOutage(error) && !this.#core.isClosing) this.#looks.reports.error(error);
    }
  }

  /** One that cannot be read holds up no other. */
  async #sealOne(member: string): Promise<void> {
    const colon = member.indexOf(":");
    try {
      const place = { period: Number(member.slice(0, colon)), id: member.slice(colon + 1) };
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1)
        if (await this.#seal(place)) return await this.#registry.settle(member);
    } catch (error) {
      if (isOutage(error) || this.#core.isClosing) throw error;
      this.#looks.reports.error(error);
    }
  }

  /** False where a point came, or another process sealed it, meanwhile. */
  async #seal(place: Place): Promise<boolean> {
    const store = this.#store;
    const [openKey, sealedKey] = [store.openKey(place), store.sealedKey(place)] as const;
    const [open = null, sealed = null] = await store.chunks(place.id, [openKey, sealedKey]);
    if (open === null) return true;
    const start = store.startOf(place.period);
    const { points: before, revision } = readSealed(sealedKey, sealed, start);
    const points = settled([before, readOpen(openKey, open, start)], store.settings.duplicates);
    // The late points of a full period stay as they came; without this, each sealing would make room for more.
    if (sealed !== null && points.times.length > store.settings.maxPoints) return true;
    const args = {
      openBytes: open.length,
      sealedBefore: sealed?.subarray(0, SEALED_HEAD_BYTES) ?? "",
      sealedAfter: seal(points, start, revision + 1),
    };
    const rolled = store.settings.rollups.map((rollup) =>
      writeSummaries(summarized(points, rollup), start, rollup.everyMs),
    );
    return store.seal(place, args, rolled);
  }
}
