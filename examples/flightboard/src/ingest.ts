/**
 * Replays the flights. Two of these run; a lock elects the leader and the other waits for it. The lock makes two leaders
 * at once unlikely; the fence in the flight log makes them harmless.
 */
import { FlightLog } from "./ingest/flight-log.ts";
import { replay } from "./ingest/replay.ts";
import { keepRunning, lockOwner, runService } from "./service.ts";
import { LEADER_LOCK } from "./state/state.ts";

/** A dead leader is followed after this time at the latest. */
const LEADER_TTL = "2s";

await runService("ingest", async (service) => {
  const owner = lockOwner(service.options);
  const leadership = service.hf.lock(LEADER_LOCK, { ttl: LEADER_TTL, maxHold: false, owner });
  const flightLog = new FlightLog(service.hf);
  await keepRunning(service, async () => {
    await using held = await leadership.acquire({ wait: "1h", signal: service.signal });
    await replay(service, flightLog, held);
  });
});
