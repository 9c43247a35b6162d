/** Puts the page together: one stream of events in, every panel out. */
import { Visitor } from "./account.ts";
import { Arcs } from "./arcs.ts";
import { createBoards } from "./boards.ts";
import { showBreak } from "./break.ts";
import { byId, count, h, setText, short } from "./dom.ts";
import { showFlights, showRecent } from "./feed.ts";
import { createCacheGauge, createLimitGauge } from "./gauges.ts";
import { note } from "./history.ts";
import { showJobs } from "./jobs.ts";
import { showLocks } from "./locks.ts";
import { createMap } from "./map.ts";
import { showPrimitives } from "./primitives.ts";
import { createSearch } from "./search.ts";
import { Spotlight } from "./spotlight.ts";
import { startTheme } from "./theme.ts";
import type { Flight, MapData, News, Snapshot } from "./types.ts";

const REFUSED_RETRY_MS = 5_000;

const data = (await (await fetch("/map.json")).json()) as MapData;
const map = createMap(data, (code) => spotlight.select(code));
const arcs = new Arcs(map, data);
const boards = createBoards(map.points, (code) => spotlight.select(code));
const showCache = createCacheGauge();
createLimitGauge();
createSearch((code) => spotlight.select(code));
startTheme(() => arcs.recolour());
showPrimitives();

const spotlight: Spotlight = new Spotlight({
  shown: () => highlight(),
  watching: () => account.watching,
  watch: (code) => void account.watch(code),
});
const account: Visitor = new Visitor(() => {
  highlight();
  if (spotlight.code !== undefined) void spotlight.show(spotlight.code);
}, note);

/** When the page lost the API; undefined while it has it. */
let away: number | undefined;

listen();

function listen(): void {
  const events = new EventSource("/api/events");
  events.addEventListener("snapshot", ({ data }) => showSnapshot(JSON.parse(String(data)) as Snapshot));
  events.addEventListener("recent", ({ data }) => showRecent(JSON.parse(String(data)) as Flight[]));
  events.addEventListener("flights", ({ data }) => {
    const news = JSON.parse(String(data)) as News[];
    showFlights(news);
    arcs.add(news.map(({ flight }) => flight));
  });
  events.addEventListener("gap", () => note("some flights are gone before they were shown"));
  events.addEventListener("outage", () => showOutage("The API is up, its server does not answer."));
  events.addEventListener("error", () => {
    showOutage("The API does not answer; it is being started again.");
    if (events.readyState !== EventSource.CLOSED) return;
    // Refused, so the browser does not try again by itself.
    showOutage("The API takes no more pages from here; close one.");
    setTimeout(listen, REFUSED_RETRY_MS);
  });
}

function showSnapshot(snapshot: Snapshot): void {
  showReturn();
  showClock(snapshot);
  showTotals(snapshot);
  map.update(snapshot);
  boards.update(snapshot);
  showJobs(snapshot);
  showLocks(snapshot);
  showBreak(snapshot);
  showCache(snapshot.cache);
  spotlight.update(snapshot);
  account.showSpeed(snapshot.speed);
  highlight();
}

/** What is shown is old from now on, and looks it. */
function showOutage(text: string): void {
  away ??= performance.now();
  document.body.classList.add("away");
  const line = byId("outage");
  line.hidden = false;
  setText(line, text);
}

function showReturn(): void {
  if (away === undefined) return;
  note(`everything is back after ${((performance.now() - away) / 1_000).toFixed(1)} s`);
  away = undefined;
  document.body.classList.remove("away");
  byId("outage").hidden = true;
}

function showClock({ cursor, flights }: Snapshot): void {
  const at = new Date(cursor.at).toISOString();
  const day = new Date(cursor.at).toLocaleDateString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
  setText(byId("clock-day"), cursor.at === 0 ? "waiting for the first flight" : day);
  setText(byId("clock-time"), cursor.at === 0 ? "--:--" : at.slice(11, 16));
  const progress = byId("progress") as HTMLProgressElement;
  progress.max = flights;
  progress.value = cursor.position;
  progress.title = `${count(cursor.position)} of ${count(flights)} flights`;
}

function showTotals({ totals, applied, cursor }: Snapshot): void {
  const late = totals.flights === 0 ? "–" : `${((100 * totals.late) / totals.flights).toFixed(1)}%`;
  const rows: Readonly<Record<string, string>> = {
    flights: count(totals.flights),
    miles: short(totals.miles),
    "over 15 min late": late,
    "minutes lost": short(totals.lateMinutes),
    "worker behind by": count(Math.max(0, cursor.position - applied)),
  };
  const list = byId("totals");
  if (list.children.length === 0) {
    list.append(...Object.keys(rows).map((name) => h("div", {}, h("dt", {}, name), h("dd", {}))));
  }
  Object.values(rows).forEach((value, index) => {
    const cell = list.children[index]?.lastElementChild;
    if (cell !== undefined && cell !== null) setText(cell, value);
  });
}

function highlight(): void {
  map.highlight(spotlight.code, account.watching ?? []);
}
