/**
 * Goes through all records, and then through all entries, in chunks that can be resumed: what a record lacks is put there, what is nobody's is
 * removed, and then the partitions count as whole again. Several may do it at once.
 */
import { HoldfastError, InvalidArgumentError } from "../../base/errors.ts";
import { inChunks } from "../../core/batch/in-chunks.ts";
import { escapeGlob } from "../../core/keyspace/scan.ts";
import { untilNoConflict } from "../../core/update/compare-and-set.ts";
import { Taken } from "./claims.ts";
import { entryOf } from "./entry.ts";
import type { IndexStore } from "./store.ts";
import { emptyWrite, type Indexed, type IndexWriter } from "./writer.ts";

export interface RecordsReindexed {
  /** Records that were looked at. */
  readonly records: number;
  /** Those of them that were not in an index, or not claimed, as they ought to be. */
  readonly repaired: number;
  /** Entries that were removed, as their records have them no longer. */
  readonly removed: number;
  /** Records with a unique value that another one has. They stay as they are, and are not found by that field. */
  readonly conflicts: readonly { readonly id: string; readonly field: string }[];
  /** For the next chunk; undefined after the last one. */
  readonly cursor: string | undefined;
}

/** Where a walk through all records is. */
interface Position {
  readonly begunAt: number;
  readonly node: string;
  readonly scan: string;
  /** Undefined while it goes through records. */
  readonly partition: number | undefined;
}

/** Of a SCAN: some of 250 us each. */
const SCAN_COUNT = 1_000;
const MAX_STEPS = 32;
const ENTRIES = 512;
/** Of a record that is written all the time. */
const MAX_ROUNDS = 100;

export class Reindexer {
  readonly #store: IndexStore;
  readonly #writer: IndexWriter;

  constructor(store: IndexStore, writer: IndexWriter) {
    this.#store = store;
    this.#writer = writer;
  }

  async chunk(cursor: string | undefined, limit: number, signal: AbortSignal | undefined): Promise<RecordsReindexed> {
    const position = cursor === undefined ? await this.#begin() : positionFrom(cursor);
    if (position.partition !== undefined) return this.#entries(position, position.partition);
    const { ids, next } = await idsOf(this.#store, position, limit, signal);
    const conflicts: { id: string; field: string }[] = [];
    const repaired = await inChunks(
      ids,
      (chunk) => Promise.all(chunk.map((id) => this.#repair(id, conflicts))),
      CHUNKS,
    );
    return {
      records: ids.length,
      repaired: repaired.filter(Boolean).length,
      removed: 0,
      conflicts,
      cursor: cursorOf(next ?? { ...position, scan: "0", partition: 0 }),
    };
  }

  async #repair(id: string, conflicts: { id: string; field: string }[]): Promise<boolean> {
    const { repaired, taken } = await this.#mend(id);
    conflicts.push(...taken.map((field) => ({ id, field })));
    return repaired;
  }

  /** Puts there what ought to point to the record and does not; fields whose value another record has are returned. */
  async #mend(id: string): Promise<{ readonly repaired: boolean; readonly taken: readonly string[] }> {
    const taken = new Set<string>();
    // Again where another write came first: one of fields that are in no index has put nothing there.
    const { status, repaired } = await untilNoConflict(this.#store.driver.runtime, MAX_ROUNDS, async () => {
      const before = await this.#writer.read("reindex", id);
      const unmarked = [...before.keys].some(
        ([field, keys]) => keys.length > 0 && !before.tokens.has(field) && !taken.has(field),
      );
      if (!unmarked) return { status: "ok", repaired: await this.#restore(id, before, taken) };
      for (;;) {
        const result = await this.#writer.write(emptyWrite("records.reindex", id, before, taken));
        if (result.status !== "taken") return { status: result.status, repaired: true };
        taken.add(result.field);
      }
    });
    if (status === "ok") return { repaired, taken: [...taken] };
    const details = { op: "records.reindex", key: id, retryable: true };
    throw new HoldfastError("CONFLICT", `records.reindex ${JSON.stringify(id)}: it is written all the time`, details);
  }

  async #restore(id: string, { keys, tokens }: Indexed, taken: Set<string>): Promise<boolean> {
    const nowMs = await this.#writer.now();
    const entries: Buffer[] = [];
    let repaired = false;
    for (const [field, token] of tokens) {
      const of = keys.get(field) ?? [];
      if (this.#writer.isIndexed(field)) entries.push(...of.map((key) => entryOf(field, key, id, token)));
      const claimed = this.#writer.claimedOf(field, of);
      if (claimed === undefined) continue;
      try {
        repaired = (await this.#writer.claims.claim(field, claimed, id, token, nowMs)).made || repaired;
      } catch (error) {
        if (!(error instanceof Taken)) throw error;
        taken.add(field);
      }
    }
    const partition = this.#store.partitionOf(id);
    const there = entries.length === 0 ? [] : await this.#store.scores(partition, entries);
    const missing = entries.filter((_, at) => !there[at]);
    if (missing.length > 0) await this.#store.enter(partition, missing);
    return repaired || missing.length > 0;
  }

  /** Until the end the indexes count as incomplete. */
  async #begin(): Promise<Position> {
    const marked = Array.from({ length: this.#store.settings.partitions }, async (_, partition) => {
      await this.#store.enter(partition, [], true);
      return this.#store.lostAt(partition);
    });
    return { ...START, begunAt: Math.max(...(await Promise.all(marked))) };
  }

  async #entries(position: Position, partition: number): Promise<RecordsReindexed> {
    const { cursor, entries } = await this.#store.scan(partition, position.scan, ENTRIES);
    const removed = await this.#writer.sweeper.removeDead(partition, entries);
    const isOver = cursor === "0";
    if (isOver) await this.#store.mended(partition, position.begunAt);
    const isLast = isOver && partition + 1 >= this.#store.settings.partitions;
    const next = isOver ? { ...position, scan: "0", partition: partition + 1 } : { ...position, scan: cursor };
    return { records: 0, repaired: 0, removed, conflicts: [], cursor: isLast ? undefined : cursorOf(next) };
  }
}

export const CHUNKS = { size: 64, parallel: 4 } as const;

const START: Omit<Position, "begunAt"> = { node: "", scan: "0", partition: undefined };

/** Some of all ids, and where to go on; each at least once, if neither it nor its slot moves. */
export async function idsFrom(
  store: IndexStore,
  cursor: string | undefined,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<{ ids: string[]; cursor: string | undefined }> {
  const position = cursor === undefined ? { ...START, begunAt: 0 } : positionFrom(cursor);
  const { ids, next } = await idsOf(store, position, limit, signal);
  return { ids, cursor: next && cursorOf(next) };
}

async function idsOf(
  store: IndexStore,
  position: Position,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<{ ids: string[]; next: Position | undefined }> {
  const { driver, recordsHead } = store;
  const call = { op: "records.scan", class: "read", signal } as const;
  // A handle that is still connecting knows no node yet.
  if (driver.nodes().length === 0) await driver.send(["PING"], call);
  const nodes = driver
    .nodes()
    .map(({ id }) => id)
    .toSorted();
  let at = Math.max(0, nodes.indexOf(position.node));
  let scan = nodes[at] === position.node ? position.scan : "0";
  const ids = new Set<string>();
  for (let step = 0; step < MAX_STEPS && ids.size < limit; step += 1) {
    const args = ["SCAN", scan, "MATCH", `${escapeGlob(recordsHead)}*`, "COUNT", String(SCAN_COUNT)];
    const [next, keys] = (await driver.send(args, call, { node: nodes[at]! })) as [Buffer, Buffer[]];
    for (const key of keys) ids.add(store.idOf(key.toString()));
    scan = next.toString();
    if (scan === "0") at += 1;
    if (at >= nodes.length) return { ids: [...ids], next: undefined };
  }
  return { ids: [...ids], next: { ...position, node: nodes[at]!, scan } };
}

function cursorOf({ begunAt, node, scan, partition }: Position): string {
  return Buffer.from(JSON.stringify([1, begunAt, node, scan, partition ?? null])).toString("base64url");
}

function positionFrom(cursor: string): Position {
  try {
    const [version, begunAt, node, scan, partition] = JSON.parse(
      Buffer.from(cursor, "base64url").toString(),
    ) as unknown[];
    const isPlace = typeof begunAt === "number" && typeof node === "string" && /^\d+$/.test(String(scan));
    if (version === 1 && isPlace && (partition === null || Number.isSafeInteger(partition)))
      return { begunAt, node, scan: String(scan), partition: (partition as number | null) ?? undefined };
  } catch {
    // As what is none.
  }
  throw new InvalidArgumentError("cursor", "a cursor that was returned for the chunk before", cursor);
}
