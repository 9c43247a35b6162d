/** The live flights as a departures board: newest on top, a few dozen rows. */
import { byId, h } from "./dom.ts";
import type { News } from "./types.ts";

const ROWS = 40;
/** Rows added per frame; more cannot be read. */
const PER_FRAME = 6;

export function showFlights(news: readonly News[]): void {
  const body = byId("feed");
  const rows = news
    .slice(-PER_FRAME)
    .map(({ flight }) =>
      h(
        "tr",
        {},
        h("td", {}, new Date(flight.at).toISOString().slice(11, 16)),
        h("td", { class: "iata" }, flight.origin),
        h("td", { class: "iata" }, flight.destination),
        h("td", { class: kind(flight.delay) }, words(flight.delay)),
      ),
    );
  body.prepend(...rows.toReversed());
  while (body.children.length > ROWS) body.lastElementChild?.remove();
}

function kind(delay: number): string {
  if (delay > 60) return "very-late";
  return delay > 15 ? "late" : "on-time";
}

function words(delay: number): string {
  if (delay > 0) return `+${delay} min`;
  return delay === 0 ? "on time" : `${-delay} early`;
}
