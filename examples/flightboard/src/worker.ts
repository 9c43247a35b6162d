/**
 * Keeps boards, counters, records, tags and places up to date from the flight log. Two of these run, and a lock lets one
 * work. The lock only saves work: two workers on the same batch give the same numbers, see `worker/apply.ts`.
 */
import { readAirports } from "./data/airports.ts";
import { FlightLog } from "./ingest/flight-log.ts";
import { keepRunning, lockOwner, log, runService } from "./service.ts";
import { WORKER_LOCK } from "./state/state.ts";
import { applyBatch } from "./worker/apply.ts";

const WORKER_TTL = "2s";
/** How long one read of the log waits for the next batch. */
const BLOCK_MS = 1_000;

await runService("worker", async (service) => {
  const places = await readAirports();
  const owner = lockOwner(service.options);
  const work = service.hf.lock(WORKER_LOCK, { ttl: WORKER_TTL, maxHold: false, owner });
  const flightLog = new FlightLog(service.hf);
  await keepRunning(service, async () => {
    await using held = await work.acquire({ wait: "1h", signal: service.signal });
    const over = AbortSignal.any([held.signal, service.signal]);
    let applied = await flightLog.applied();
    log(service.options, `works from flight ${applied} on`);
    while (!over.aborted) {
      const batch = await flightLog.next(applied, BLOCK_MS, over);
      if (batch === undefined) continue;
      await applyBatch(service.state, places, batch);
      await flightLog.commit(batch);
      applied = batch.to;
    }
  });
});
