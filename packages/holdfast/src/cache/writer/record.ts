/** Writes as the log keeps them; `accept.lua` has the format. */

/** A write that the database has yet to have. */
export interface PendingWrite {
  readonly id: string;
  readonly version: number;
  /** Of whoever is writing it to the database; 0: nobody. */
  readonly claim: number;
  /** How often that was begun. */
  readonly attempt: number;
  readonly removes: boolean;
  readonly payload: Buffer;
}

/** A write that was put aside. */
export interface BuriedWrite extends PendingWrite {
  /** By the server's clock. */
  readonly deadAt: number;
  readonly reason: string;
}

const HEAD_BYTES = 25;
const REMOVES = 2;

export function pendingOf(id: string, record: Buffer): PendingWrite {
  return {
    id,
    version: record.readDoubleBE(0),
    claim: record.readDoubleBE(8),
    attempt: record.readDoubleBE(16),
    removes: record[24] === REMOVES,
    payload: record.subarray(HEAD_BYTES),
  };
}

export function buriedOf(id: string, letter: Buffer): BuriedWrite {
  const from = 10 + letter.readUInt16BE(8);
  const reason = letter.toString("utf8", 10, from);
  return { ...pendingOf(id, letter.subarray(from)), deadAt: letter.readDoubleBE(0), reason };
}
