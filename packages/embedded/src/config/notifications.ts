/** Keyspace events: their classes, and the letters of `notify-keyspace-events`. */
export const EVENT = {
  keyspace: 1,
  keyevent: 2,
  generic: 4,
  string: 8,
  list: 16,
  set: 32,
  hash: 64,
  zset: 128,
  expired: 256,
  evicted: 512,
  stream: 1024,
  keymiss: 2048,
  module: 8192,
  created: 16384,
} as const;

/** One of EVENT. */
export type EventClass = number;

/** `A` is all classes but key misses and creations. */
const ALL = 4 | 8 | 16 | 32 | 64 | 128 | 256 | 512 | 1024 | 8192;

const LETTERS: readonly (readonly [string, number])[] = [
  ["g", EVENT.generic],
  ["$", EVENT.string],
  ["l", EVENT.list],
  ["s", EVENT.set],
  ["h", EVENT.hash],
  ["z", EVENT.zset],
  ["x", EVENT.expired],
  ["e", EVENT.evicted],
  ["t", EVENT.stream],
  ["d", EVENT.module],
  ["n", EVENT.created],
];
const OUTSIDE_ALL: readonly (readonly [string, number])[] = [
  ["K", EVENT.keyspace],
  ["E", EVENT.keyevent],
  ["m", EVENT.keymiss],
];
/** The bits of a setting such as `KEA`, or undefined when it has an unknown letter. */
export function parseEventClasses(text: string): number | undefined {
  let bits = 0;
  for (const letter of text) {
    if (letter === "A") bits |= ALL;
    else {
      const known = [...LETTERS, ...OUTSIDE_ALL].find(([name]) => name === letter);
      if (known === undefined) return undefined;
      bits |= known[1];
    }
  }
  return bits;
}

/** As CONFIG GET prints them: `A` hides that creations are among them. */
export function formatEventClasses(bits: number): string {
  const all = (bits & ALL) === ALL;
  const letters = (table: typeof LETTERS): string =>
    table
      .filter(([, bit]) => (bits & bit) !== 0)
      .map(([letter]) => letter)
      .join("");
  return (all ? "A" : letters(LETTERS)) + letters(OUTSIDE_ALL);
}
