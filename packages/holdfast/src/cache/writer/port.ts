/** What a writer needs of the cache that it belongs to. */
import type { Lane } from "../../core/batch/lane.ts";
import type { Id } from "../../core/keyspace/keyspace.ts";

/** An entry as it is stored. */
export interface EntryTerms {
  /** Without the time until which it is served. */
  readonly head: Buffer;
  readonly freshMs: number;
  readonly keepMs: number;
}

export interface WriterCache {
  readonly name: string;
  readonly timeoutMs: number;
  readonly loadLeaseMs: number;
  /** Whether a write goes on where the server is away (`onOutage`). */
  readonly goesOn: boolean;
  /** In which the cache's own calls are merged, so that their order is kept. */
  readonly lane: Lane;
  key(id: Id): string;
  leaseKey(id: Id): string;
  /** The keys of the index of its ids; the entry's own key where there is none. */
  indexKeys(key: string): { readonly ids: string; readonly ends: string };
  encode(key: string, value: unknown): Buffer;
  decode(key: string, payload: Buffer): unknown;
  entry(ttlMs: number | undefined): EntryTerms;
  /** Nothing older of this process is served from now on. */
  changed(key: string): void;
  delete(id: Id): Promise<boolean>;
  /** As soon as the server is back, and before it is served here. */
  deleteLater(id: Id): void;
  /** What was invalidated before this number is known. */
  sequence(): number;
  fill(id: Id, token: string, payload: Buffer, ttlMs: number | undefined, sequence: number): Promise<boolean>;
  extend(id: Id, token: string): Promise<boolean>;
  abandon(id: Id, token: string): Promise<void>;
}
