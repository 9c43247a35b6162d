/**
 * The bound: within any stretch of time no more is allowed by the server than the limit says, however many processes ask and
 * whatever is lost, late or repeated; and what was asked for in vain takes nothing, so that a quiet id is allowed again. The same
 * check finds what reading, deciding and writing in three steps does wrong.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";

const LIMIT = 5;
const WINDOW_MS = 500;
const DURING_MS = 4_000;
/** The server's clock may run faster than true time by half a percent. */
const SKEW = 0.005;

type Consume = () => Promise<boolean>;
type LimiterOf = (client: SimulatedClient) => Consume;

function ours(algorithm: "gcra" | "sliding" | "exact"): LimiterOf {
  return ({ hf }) => {
    const limiter = hf.limiter("api", { limit: LIMIT, window: WINDOW_MS, algorithm, onOutage: "deny" });
    return async () => (await limiter.consume("ada")).allowed;
  };
}

/** A fixed window, counted and written in two steps. */
const naive: LimiterOf =
  ({ hf: { driver } }) =>
  async () => {
    const taken = Number(await driver.send(["GET", "taken"], { op: "get", class: "read" }, "taken"));
    if (taken >= LIMIT) return false;
    const args = ["SET", "taken", String(taken + 1), "PX", String(WINDOW_MS)];
    await driver.send(args, { op: "set", class: "idempotent" }, "taken");
    return true;
  };

/** A call that was allowed, somewhere between its beginning and its answer. */
interface Allowed {
  readonly from: number;
  readonly to: number;
}

/** Both algorithms let a burst and the refill of the stretch pass; the sliding window estimates, by at most its limit. */
function mostWithin(ms: number): number {
  return 2 * LIMIT + Math.ceil((ms * (1 + SKEW) * LIMIT) / WINDOW_MS);
}

function checkBound(calls: readonly Allowed[], burst: number): void {
  const starts = calls.map(({ from }) => from).sort((a, b) => a - b);
  for (const start of starts) {
    const inside = calls.filter(({ from }) => from >= start).sort((a, b) => a.to - b.to);
    for (const [at, { to }] of inside.entries()) {
      const most = mostWithin(to - start) - 2 * LIMIT + burst;
      if (at + 1 > most) throw new Error(`${at + 1} were allowed within ${to - start} ms, not ${most}`);
    }
  }
}

function bounded(limiterOf: LimiterOf, burst: number): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now }) => {
    const allowed: Allowed[] = [];
    await Promise.all(
      clients.map(async (client) => {
        const consume = limiterOf(client);
        while (now() < DURING_MS) {
          const from = now();
          if ((await unlessOutage(consume)) === true) allowed.push({ from, to: now() });
          await client.sleep(random.integer(0, 40));
        }
      }),
    );
    checkBound(allowed, burst);
    const [first] = clients;
    // By then whatever was under way for long has arrived and been forgotten.
    await first!.sleep(10_000);
    if (!(await limiterOf(first!)())) throw new Error("a quiet id is not allowed again");
  };
}

it("a GCRA limiter never lets more pass than burst and refill", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, bounded(ours("gcra"), LIMIT));
});

it("a sliding window never lets more pass than its limit and its estimate", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, bounded(ours("sliding"), 2 * LIMIT));
});

it("an exact limiter never lets more pass than its limit in any window", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, bounded(ours("exact"), LIMIT));
});

it("a limiter of two steps lets more pass, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3 }, bounded(naive, LIMIT));
  await expect(search).rejects.toThrow(SimulationError);
});
