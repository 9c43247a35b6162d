/** The points of one chunk, as columns. */

export type SeriesDuplicates = "last" | "first" | "min" | "max" | "sum" | "all";

export interface Points {
  /** Milliseconds since 1970. */
  readonly times: number[];
  readonly values: number[];
}

export const noPoints = (): Points => ({ times: [], values: [] });

/** Of what was stored, in the order in which it was stored: sorted by time, with those of one time as `duplicates` says. */
export function settled(parts: readonly Points[], duplicates: SeriesDuplicates): Points {
  const [first, ...more] = parts.filter(({ times }) => times.length > 0);
  if (first === undefined) return noPoints();
  const all: Points =
    more.length === 0
      ? first
      : {
          times: first.times.concat(...more.map(({ times }) => times)),
          values: first.values.concat(...more.map(({ values }) => values)),
        };
  // As nearly all are.
  return rises(all.times) ? all : resolved(inOrder(all), duplicates);
}

function rises(times: readonly number[]): boolean {
  for (let at = 1; at < times.length; at += 1) if (times[at]! <= times[at - 1]!) return false;
  return true;
}

function inOrder(points: Points): Points {
  const { times, values } = points;
  if (times.every((time, at) => at === 0 || times[at - 1]! <= time)) return points;
  // Stable: of one time the one that was stored first comes first.
  const order = times.map((_, at) => at).sort((a, b) => times[a]! - times[b]!);
  return { times: order.map((at) => times[at]!), values: order.map((at) => values[at]!) };
}

function resolved(points: Points, duplicates: SeriesDuplicates): Points {
  if (duplicates === "all") return points;
  const combine = COMBINE[duplicates];
  const result = noPoints();
  for (const [at, time] of points.times.entries()) {
    const value = points.values[at]!;
    const last = result.times.length - 1;
    if (result.times[last] === time) result.values[last] = combine(result.values[last]!, value);
    else {
      result.times.push(time);
      result.values.push(value);
    }
  }
  return result;
}

const COMBINE: Record<Exclude<SeriesDuplicates, "all">, (earlier: number, later: number) => number> = {
  last: (_, later) => later,
  first: (earlier) => earlier,
  min: Math.min,
  max: Math.max,
  sum: (earlier, later) => earlier + later,
};
