/**
 * Redis's own pseudo-random generator for scripts (rand.c): the 48-bit linear congruence of drand48, so that math.random
 * returns the same sequence for the same seed everywhere.
 */
const MULTIPLIER = 0x5deece66dn;
const INCREMENT = 0xbn;
const MASK = (1n << 48n) - 1n;
const LOW_WORD = 0x330en;
const MODULUS = 2 ** 31 - 1;

export class Random {
  /** As a server begins; scripts go on where the one before them ended. */
  state = 0x1234_abcd_330en;

  seed(seed: number): void {
    this.state = (BigInt(seed >>> 0) << 16n) | LOW_WORD;
  }

  /** A number from 0 up to, not including, 1. */
  next(): number {
    this.state = (this.state * MULTIPLIER + INCREMENT) & MASK;
    return (Number(this.state >> 17n) % MODULUS) / MODULUS;
  }
}
