/** Puts the page together: one stream of events in, every panel out. */
import { Visitor } from "./account.ts";
import { Arcs } from "./arcs.ts";
import { createBoards } from "./boards.ts";
import { byId, count, h, setText, short } from "./dom.ts";
import { showFlights } from "./feed.ts";
import { createCacheGauge, createLimitGauge } from "./gauges.ts";
import { note, showLocks } from "./locks.ts";
import { createMap } from "./map.ts";
import { createSearch } from "./search.ts";
import { Spotlight } from "./spotlight.ts";
import { startTheme } from "./theme.ts";
import type { MapData, News, Snapshot } from "./types.ts";

const data = (await (await fetch("/map.json")).json()) as MapData;
const map = createMap(data, (code) => spotlight.select(code));
const arcs = new Arcs(map, data);
const boards = createBoards(map.points, (code) => spotlight.select(code));
const showCache = createCacheGauge();
createLimitGauge();
createSearch((code) => spotlight.select(code));
startTheme(() => arcs.recolour());

const spotlight: Spotlight = new Spotlight({
  shown: () => highlight(),
  watching: () => account.watching,
  watch: (code) => void account.watch(code),
});
const account: Visitor = new Visitor(() => {
  highlight();
  if (spotlight.code !== undefined) void spotlight.show(spotlight.code);
}, note);

listen();

function listen(): void {
  const events = new EventSource("/api/events");
  events.addEventListener("snapshot", ({ data }) => showSnapshot(JSON.parse(String(data)) as Snapshot));
  events.addEventListener("flights", ({ data }) => {
    const news = JSON.parse(String(data)) as News[];
    showFlights(news);
    arcs.add(news.map(({ flight }) => flight));
  });
  events.addEventListener("gap", () => note("the live channel was interrupted; some flights were not shown"));
  events.addEventListener("outage", () => showOutage("The API is up, its server does not answer."));
  events.addEventListener("error", () => showOutage("The API does not answer; it is being started again."));
}

function showSnapshot(snapshot: Snapshot): void {
  byId("outage").hidden = true;
  showClock(snapshot);
  showTotals(snapshot);
  map.update(snapshot);
  boards.update(snapshot);
  showLocks(snapshot, account.kill);
  showCache(snapshot.cache);
  spotlight.update(snapshot);
  account.showSpeed(snapshot.speed);
  highlight();
}

function showOutage(text: string): void {
  const line = byId("outage");
  line.hidden = false;
  setText(line, text);
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
    "worker behind by": count(cursor.position - applied),
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
