/**
 * What a kill led to: who took over, how soon, and whether a flight is lost or counted twice. Everything is measured on
 * the state itself and kept there, so the newest result stays on the page, also when this process is killed next.
 */
import { FlightLog } from "../ingest/flight-log.ts";
import { pause, type Service } from "../service.ts";
import { LEADER_LOCK, type State, type Takeover, WORKER_LOCK } from "../state/state.ts";
import { lockView } from "./live.ts";

const LOCKS = { leader: LEADER_LOCK, worker: WORKER_LOCK } as const;
const LATEST = "latest";
const POLL_MS = 50;
const ALL_AIRPORTS = 500;

export class Takeovers {
  readonly #service: Service;
  readonly #log: FlightLog;
  #latest: Takeover | undefined;

  constructor(service: Service) {
    this.#service = service;
    this.#log = new FlightLog(service.hf);
  }

  /** The newest, as far as it has come. */
  get latest(): Takeover | undefined {
    return this.#latest;
  }

  /** Begins to measure where the process just killed held a lock; its lock outlives it by up to its TTL. */
  async killed(name: string): Promise<void> {
    const at = Date.now();
    const { position } = await this.#log.cursor();
    for (const lock of ["leader", "worker"] as const) {
      const held = await lockView(this.#service.hf, LOCKS[lock]);
      if (held?.holder === name) await this.#keep({ killed: name, lock, fence: held.fence, position, at });
    }
  }

  /** Follows the newest to its end, also one that an earlier process began to measure. Runs until the service stops. */
  async follow(): Promise<void> {
    const { state, signal } = this.#service;
    this.#latest ??= (await state.takeovers.get(LATEST))?.value;
    while (!signal.aborted) {
      const open = this.#latest;
      const next = open === undefined ? undefined : await this.#advance(open);
      if (next !== undefined && open === this.#latest) await this.#keep(next);
      await pause(POLL_MS, signal);
    }
  }

  /** The next step, once it has happened. */
  async #advance(open: Takeover): Promise<Takeover | undefined> {
    if (open.count !== undefined) return undefined;
    if (open.successor !== undefined) {
      const count = await countFlights(this.#service.state, this.#log);
      // A count says something once flights have come that the killed process did not send or apply.
      const says =
        count !== undefined && (count.flights > open.position || count.flights === this.#service.options.flights);
      return says ? { ...open, count } : undefined;
    }
    const held = await lockView(this.#service.hf, LOCKS[open.lock]);
    if (held === undefined || held.fence <= open.fence) return undefined;
    return { ...open, successor: { name: held.holder, afterMs: Date.now() - open.at } };
  }

  async #keep(takeover: Takeover): Promise<void> {
    this.#latest = takeover;
    await this.#service.state.takeovers.set(LATEST, takeover);
  }
}

/**
 * Compares the flights in the log with those in the total and on the board of airports, where each stands twice: as a
 * departure and as an arrival. Undefined while a batch is on its way, when the three cannot be compared.
 */
async function countFlights(state: State, log: FlightLog): Promise<Takeover["count"]> {
  const before = await sentAndApplied(log);
  const [total, board] = await Promise.all([
    state.totals.get("flights"),
    state.boards.busiest.page({ limit: ALL_AIRPORTS }),
  ]);
  const after = await sentAndApplied(log);
  if (before.sent !== before.applied || after.sent !== before.sent || after.applied !== before.applied)
    return undefined;
  const onBoard = board.entries.reduce((sum, { score }) => sum + score, 0) / 2;
  const flights = before.applied;
  return {
    flights,
    lost: Math.max(0, flights - Math.min(total, onBoard)),
    twice: Math.max(0, Math.max(total, onBoard) - flights),
  };
}

async function sentAndApplied(log: FlightLog): Promise<{ sent: number; applied: number }> {
  const [{ position }, applied] = await Promise.all([log.cursor(), log.applied()]);
  return { sent: position, applied };
}
