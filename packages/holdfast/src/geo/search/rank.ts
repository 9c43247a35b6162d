/** The order of matches: by distance, then by name. */

/** A place in the order of matches. */
export interface Rank {
  readonly meters: number;
  readonly member: string;
}

/** To a tenth of a millimetre, as the server writes distances. */
export function rounded(meters: number): number {
  return Math.round(meters * 1e4) / 1e4;
}

/** The nearer one first; of the same distance by the bytes of their names. */
export function compareRanks(a: Rank, b: Rank): number {
  if (a.meters !== b.meters) return a.meters - b.meters;
  return a.member === b.member ? 0 : Buffer.compare(Buffer.from(a.member), Buffer.from(b.member));
}
