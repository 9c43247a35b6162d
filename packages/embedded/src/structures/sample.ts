import type { IndexedMap, Node } from "./indexed-map.ts";

/** When a third of the elements or more is wanted, choosing from a copy of all is cheaper than drawing until enough differ. */
const DENSE = 3;

/** `count` different elements, every choice equally likely; all of them, in their order, when there are no more. */
export function sample<N extends Node>(map: IndexedMap<N>, count: number, random: () => number): N[] {
  if (count >= map.size) return map.values();
  if (count * DENSE > map.size) return choose(map.values(), count, random);
  const drawn = new Set<N>();
  while (drawn.size < count) drawn.add(map.random(random) as N);
  return [...drawn];
}

/** The first steps of a Fisher-Yates shuffle. */
function choose<T>(items: T[], count: number, random: () => number): T[] {
  for (let i = 0; i < count; i += 1) {
    const j = i + Math.floor(random() * (items.length - i));
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  items.length = count;
  return items;
}
