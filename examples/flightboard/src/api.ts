/** Serves the page and its questions: the database behind a cache, sessions, rate limits, live events. */
import { once } from "node:events";
import { serve, type ServerType } from "@hono/node-server";
import { createApp } from "./api/app.ts";
import { ARCHIVE_FLIGHTS, onTimeShares } from "./api/archive.ts";
import { serveAssets } from "./api/assets.ts";
import { type Database, loadArchive, openDatabase } from "./api/database.ts";
import { Hub } from "./api/hub.ts";
import { Live } from "./api/live.ts";
import { looksFile, openLooks } from "./api/looks.ts";
import { drawMap } from "./api/map.ts";
import { readAirports } from "./data/airports.ts";
import { readFlights } from "./data/flights.ts";
import { keepRunning, log, runService, type Service } from "./service.ts";
import { Takeovers } from "./api/takeovers.ts";

await runService("api", async (service) => {
  const { hf, options, state, signal } = service;
  const airports = await readAirports();
  await using db = await openArchive(service);
  const looks = openLooks(hf, state.looks, looksFile(options));
  const hub = new Hub();
  const takeovers = new Takeovers(service);
  const live = new Live(service, hub, {
    onTime: (codes) => onTimeShares(state.caches.profiles, db, codes),
    unwritten: () => looks.waiting(),
    takeover: () => takeovers.latest,
  });
  const app = createApp({ service, db, looks, hub, live, takeovers, kill: killThroughLauncher() });
  await serveAssets(app, await drawMap(airports.values()));

  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: options.port });
  await once(server, "listening");
  log(options, `serves http://127.0.0.1:${options.port}`);
  signal.addEventListener("abort", () => closeNow(server));
  await Promise.all([keepRunning(service, () => live.sendSnapshots()), keepRunning(service, () => takeovers.follow())]);
});

async function openArchive({ options }: Service): Promise<Database> {
  const db = await openDatabase();
  const airports = await readAirports();
  await loadArchive(db, airports.values(), readFlights(options.flights, 0, ARCHIVE_FLIGHTS));
  return db;
}

/** Open pages hold their event stream for ever, so they are not waited for. */
function closeNow(server: ServerType): void {
  server.close();
  if ("closeAllConnections" in server) server.closeAllConnections();
}

/** Only the launcher kills, and only what it started. */
function killThroughLauncher(): ((name: string) => void) | undefined {
  const send = process.send?.bind(process);
  return send === undefined ? undefined : (name) => void send({ type: "kill", process: name });
}
