/** A cache as its writer sees it (writer/port.ts). */
import type { Loader } from "./loader.ts";
import type { CacheSettings } from "./options.ts";
import type { CacheStore } from "./store.ts";
import type { WriterCache } from "./writer/port.ts";

export function forWriter(name: string, store: CacheStore, loader: Loader, settings: CacheSettings): WriterCache {
  return {
    name,
    timeoutMs: settings.timeoutMs,
    loadLeaseMs: settings.loadLeaseMs,
    goesOn: settings.onOutage === "load",
    lane: store.lane,
    key: (id) => store.key(id),
    leaseKey: (id) => store.leaseKey(id),
    indexKeys: (key) => store.indexKeys(key),
    encode: (key, value) => store.encode(key, value),
    decode: (key, payload) => store.decodeOrThrow(key, payload),
    entry: (ttlMs) => store.entry(ttlMs),
    changed: (key) => {
      loader.detach(key);
      store.coherence.changed(key);
    },
    delete: (id) => store.delete(id),
    deleteLater: (id) => store.recovery.add(store.failed("delete", id)),
    fill: (id, token, payload, ttlMs, sequence) =>
      store.fill(id, token, { payload, ttlMs, graceMs: settings.graceMs, sequence, about: undefined }),
    sequence: () => store.versions.sequence,
    extend: (id, token) => store.extend(id, token),
    abandon: (id, token) => store.abandon(id, token),
  };
}
