/**
 * Every number that the demo derives, computed the plain way: one loop over the flights, in memory. The worker keeps
 * the same numbers on the server, batch by batch and through crashes; `verify/` compares the two.
 */
import { dayOf, type Flight } from "../data/flights.ts";

/** What one airport has seen. Each field only ever grows: that is what makes the worker's writes repeatable. */
export interface AirportTotals {
  readonly departures: number;
  readonly arrivals: number;
  /** Sum over the departures that were late; early ones count as 0. */
  readonly lateMinutes: number;
  /** The most minutes that one departure was late. */
  readonly worstDelay: number;
  /** Miles of the longest departure. */
  readonly longestLeg: number;
  /** Codes of the airports flown to, sorted. */
  readonly served: readonly string[];
}

export interface GrandTotals {
  readonly flights: number;
  readonly miles: number;
  /** Flights more than `LATE_AFTER` minutes late. */
  readonly late: number;
  readonly lateMinutes: number;
}

export interface Derived {
  readonly totals: GrandTotals;
  /** Flights by day, `2001-01-01`. */
  readonly days: ReadonlyMap<string, number>;
  readonly airports: ReadonlyMap<string, AirportTotals>;
}

/** Minutes; the usual meaning of "delayed" in US statistics. */
export const LATE_AFTER = 15;
export const EMPTY_TOTALS: AirportTotals = {
  departures: 0,
  arrivals: 0,
  lateMinutes: 0,
  worstDelay: 0,
  longestLeg: 0,
  served: [],
};

const HUB_DESTINATIONS = 10;
const VERY_LATE_MINUTES = 120;
const LONG_HAUL_MILES = 2_000;

export function derive(flights: Iterable<Flight>): Derived {
  const days = new Map<string, number>();
  const airports = new Map<string, AirportTotals>();
  const totals = { flights: 0, miles: 0, late: 0, lateMinutes: 0 };
  for (const flight of flights) {
    const late = Math.max(0, flight.delay);
    totals.flights += 1;
    totals.miles += flight.distance;
    totals.late += flight.delay > LATE_AFTER ? 1 : 0;
    totals.lateMinutes += late;
    days.set(dayOf(flight), (days.get(dayOf(flight)) ?? 0) + 1);
    airports.set(flight.origin, merge(airports.get(flight.origin), departure(flight)));
    airports.set(flight.destination, merge(airports.get(flight.destination), { ...EMPTY_TOTALS, arrivals: 1 }));
  }
  return { totals, days, airports };
}

/** Sums, maxima and unions: associative, so batches can be added up in any grouping. */
export function merge(before: AirportTotals = EMPTY_TOTALS, more: AirportTotals): AirportTotals {
  return {
    departures: before.departures + more.departures,
    arrivals: before.arrivals + more.arrivals,
    lateMinutes: before.lateMinutes + more.lateMinutes,
    worstDelay: Math.max(before.worstDelay, more.worstDelay),
    longestLeg: Math.max(before.longestLeg, more.longestLeg),
    served: union(before.served, more.served),
  };
}

/** Scores of the three boards. */
export function scores(airport: AirportTotals): { busiest: number; delayed: number; connected: number } {
  return {
    busiest: airport.departures + airport.arrivals,
    delayed: airport.lateMinutes,
    connected: airport.served.length,
  };
}

/** Tags that an airport gets by its flights. */
export const EARNED_TAGS = ["hub", "very-late", "long-haul"] as const;

/** Tags by which airports are searched. Once earned they stay, like the numbers they stand for. */
export function tagsFor(state: string, airport: AirportTotals): string[] {
  const tags = [`state:${state}`];
  if (airport.served.length >= HUB_DESTINATIONS) tags.push("hub");
  if (airport.worstDelay >= VERY_LATE_MINUTES) tags.push("very-late");
  if (airport.longestLeg >= LONG_HAUL_MILES) tags.push("long-haul");
  return tags;
}

function departure(flight: Flight): AirportTotals {
  const late = Math.max(0, flight.delay);
  return {
    departures: 1,
    arrivals: 0,
    lateMinutes: late,
    worstDelay: late,
    longestLeg: flight.distance,
    served: [flight.destination],
  };
}

/** Most merges bring nothing new, so the old array is kept as it is. */
function union(before: readonly string[], more: readonly string[]): readonly string[] {
  if (more.every((code) => before.includes(code))) return before;
  return [...new Set([...before, ...more])].sort();
}
