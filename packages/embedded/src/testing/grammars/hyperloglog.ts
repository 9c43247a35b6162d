import type { Placeholders } from "../grammar.ts";

/** Up to a thousand elements at once, so that the sparse representation is left behind. */
export const hyperLogLogPlaceholders: Placeholders = {
  elements: (random) => {
    const start = random.integer(0, 20_000);
    const count = random.pick([0, 1, 1, 2, 3, 5, 20, 200, 1000]);
    return Array.from({ length: count }, (_, i) => element(start + i));
  },
  limit: (random) => random.pick(["0", "100", "1000", "3000", "3000", "20000"]),
};

/** Of every length, to reach each way through the hash function. */
function element(n: number): string {
  return "\xe9abcdefghijklmnop".slice(0, n % 18) + String(n);
}

export const hyperLogLogSyntax: readonly string[] = [
  "PFADD key elements",
  "PFADD key elements",
  "PFADD key elements",
  "PFCOUNT key",
  "PFCOUNT key (key)+",
  "PFMERGE key (key)+",
  "PFMERGE key",
  "GET key",
  "STRLEN key",
  "PFDEBUG (DECODE|ENCODING|TODENSE|GETREG|X) key",
  "PFDEBUG DECODE key",
  "CONFIG SET hll-sparse-max-bytes limit",
  "OBJECT ENCODING key",
  "COPY key key [REPLACE]",
  "DEL key",
];
