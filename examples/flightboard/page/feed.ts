/** The live flights as a departures board: newest on top, a few dozen rows. */
import { byId, h } from "./dom.ts";
import type { Flight, News } from "./types.ts";

const ROWS = 40;
/** Rows added per frame; more cannot be read. */
const PER_FRAME = 6;

export function showFlights(news: readonly News[]): void {
  const body = byId("feed");
  body.prepend(...rowsOf(news.slice(-PER_FRAME).map(({ flight }) => flight)));
  while (body.children.length > ROWS) body.lastElementChild?.remove();
}

/** The last flights before the page was opened, oldest first, in place of what was shown. */
export function showRecent(flights: readonly Flight[]): void {
  byId("feed").replaceChildren(...rowsOf(flights.slice(-ROWS)));
}

function rowsOf(flights: readonly Flight[]): HTMLElement[] {
  return flights
    .toReversed()
    .map((flight) =>
      h(
        "tr",
        {},
        h("td", {}, new Date(flight.at).toISOString().slice(11, 16)),
        h("td", { class: "iata" }, flight.origin),
        h("td", { class: "iata" }, flight.destination),
        h("td", { class: kind(flight.delay) }, words(flight.delay)),
      ),
    );
}

function kind(delay: number): string {
  if (delay > 60) return "very-late";
  return delay > 15 ? "late" : "on-time";
}

function words(delay: number): string {
  if (delay > 0) return `+${delay} min`;
  return delay === 0 ? "on time" : `${-delay} early`;
}
