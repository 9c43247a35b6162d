/**
 * How large a Bloom filter is, and which bits a member has. Burton Bloom, "Space/time trade-offs in hash coding with allowable errors"
 * (1970); a member's bits by enhanced double hashing (Dillinger, Manolios, "Bloom Filters in Probabilistic Verification", 2004).
 */
import { murmurHashOf } from "../core/hash/murmur.ts";

export interface Geometry {
  /** Strings that the bits are spread over; a member's are all in one. */
  readonly segments: number;
  /** Of one segment. */
  readonly bits: number;
  /** Bits of one member. */
  readonly hashes: number;
  /** Members that one segment takes. */
  readonly perSegment: number;
}

export interface Place {
  readonly segment: number;
  readonly positions: readonly number[];
}

/** 64 KB. */
const MAX_BITS = 2 ** 19;
/** Standard deviations that a segment may have more members than the mean. */
const SLACK = 5;
const SEED = 0x62_6c_6f_6f;
const STEP_SEED = 0x6d_73_74_65;

export function geometryOf(capacity: number, errorRate: number): Geometry {
  const bitsPerMember = -Math.log(errorRate) / Math.LN2 ** 2;
  const hashes = Math.max(1, Math.round(bitsPerMember * Math.LN2));
  for (let segments = Math.ceil((capacity * bitsPerMember) / MAX_BITS); ; segments += Math.ceil(segments / 100)) {
    const mean = capacity / segments;
    const perSegment = Math.ceil(mean + SLACK * Math.sqrt(mean));
    const bits = Math.ceil((perSegment * bitsPerMember) / 8) * 8;
    if (bits <= MAX_BITS) return { segments, bits, hashes, perSegment };
  }
}

export function placeOf(member: string, { segments, bits, hashes }: Geometry): Place {
  const hash = murmurHashOf(member, SEED);
  let position = hash.low % bits;
  let step = murmurHashOf(member, STEP_SEED).low % bits;
  const positions = [position];
  for (let at = 1; at < hashes; at += 1) {
    position = (position + step) % bits;
    step = (step + at) % bits;
    positions.push(position);
  }
  return { segment: hash.high % segments, positions };
}

/** How often a member that was never added is taken for one, where `members` are in a segment. */
export function errorRateOf(members: number, { bits, hashes }: Geometry): number {
  return (1 - Math.exp((-hashes * members) / bits)) ** hashes;
}
