/**
 * What could go wrong, and the test for each; the same checks find what is written by hand with SET NX:
 * - two callers of a key get different outcomes ............ "one outcome per key"
 * - two run it at once, and neither knows .................. the same
 * - a later run has a lower fence, or takes itself for the first ... the same
 * - a late copy of a request changes what is stored ........ the same, "where late copies are not fenced off"
 * - a key is blocked for ever .............................. each key has an outcome at the end
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../test/support/simulated.ts";
import { LeaseLostError, OutcomeUnknownError } from "../base/errors.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";

const DURING_MS = 1_500;
const LEASE_MS = 400;
const COUNT = 8;

interface Attempt {
  readonly fence: number;
  readonly attempt: number;
  readonly signal: AbortSignal;
}
type Fn = (run: Attempt) => Promise<string>;
type Once = (client: SimulatedClient, key: string, fn: Fn) => Promise<string>;

const ours: Once = async ({ hf }, key, fn) =>
  (await hf.idempotency<string>("once", { lease: LEASE_MS }).run(key, fn, { wait: "1s" })).value;

/** SET NX as a lock, and the value over it: what is written by hand. */
const naive: Once = async (client, key, fn) => {
  const send = async (...args: string[]): Promise<string | undefined> => {
    const reply = await client.hf.driver.send(args, { op: "naive", class: "idempotent" }, key);
    return (reply as Buffer | string | null)?.toString();
  };
  for (let round = 0; round < 20; round += 1) {
    const value = await send("GET", `done:{${key}}`);
    if (value !== undefined) return value;
    const mine = await send("SET", `run:{${key}}`, client.name, "NX", "PX", String(LEASE_MS));
    if (mine !== undefined) {
      const made = await fn({ fence: 0, attempt: 1, signal: new AbortController().signal });
      await send("SET", `done:{${key}}`, made);
      return made;
    }
    await client.sleep(50);
  }
  throw new OutcomeUnknownError("still being run");
};

/** @param strict whether runs know of each other */
function oneOutcome(once: Once, strict: boolean): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now }) => {
    const outcomes = new Map<string, string>();
    const running = new Map<string, { readonly run: Attempt; readonly by: string }>();
    const fences = new Map<string, number>();
    let made = 0;

    const agree = (client: SimulatedClient, key: string, value: string): void => {
      const known = outcomes.get(key);
      if (known !== undefined && known !== value)
        throw new Error(`${client.name} got ${value} for ${key}, others ${known}`);
      outcomes.set(key, value);
    };
    const work =
      (client: SimulatedClient, key: string, isCalm = false): Fn =>
      async (run) => {
        const other = running.get(key);
        // Each by its own clock, also where it stands still.
        if (strict && other !== undefined && !other.run.signal.aborted && !run.signal.aborted)
          throw new Error(`${client.name} and ${other.by} run ${key}`);
        if (strict && run.fence <= (fences.get(key) ?? 0))
          throw new Error(`${key} is run with a fence that does not rise`);
        if (strict && run.attempt === 1 && fences.has(key))
          throw new Error(`${key} is run again as for the first time`);
        fences.set(key, run.fence);
        running.set(key, { run, by: client.name });
        if (!isCalm) await client.sleep(random.integer(0, 2 * LEASE_MS));
        if (running.get(key)?.run === run) running.delete(key);
        if (!isCalm && random.chance(0.1)) throw new Failure();
        made += 1;
        return `${client.name}-${made}`;
      };
    const ask = async (client: SimulatedClient, key: string, isCalm = false): Promise<string | undefined> => {
      try {
        return await unlessOutage(() => once(client, key, work(client, key, isCalm)));
      } catch (error) {
        if (error instanceof Failure || error instanceof LeaseLostError) return undefined;
        throw error;
      }
    };

    await Promise.all(
      clients.map(async (client) => {
        for (let at = 0; now() < DURING_MS; at += 1) {
          const key = `k${Math.floor(now() / 300)}`;
          const value = await ask(client, key);
          if (value !== undefined) agree(client, key, value);
          await client.sleep(random.integer(1, 100));
        }
      }),
    );
    const [first] = clients;
    for (const key of fences.keys()) {
      const told = await untilTold(first!, async () => {
        const value = await ask(first!, key, true);
        return value === undefined ? undefined! : { value };
      });
      agree(first!, key, told.value);
    }
  };
}

class Failure extends Error {}

it("one outcome per key, whatever is lost, late or paused", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(COUNT), clients: 3 }, oneOutcome(ours, true));
});

it("the same where late copies are not fenced off", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(COUNT), clients: 3, faults: { lateCopies: true } }, oneOutcome(ours, true));
});

it("SET NX and the value over it stores two outcomes of one key, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3 }, oneOutcome(naive, false));
  await expect(search).rejects.toThrow(/got .* for/);
});
