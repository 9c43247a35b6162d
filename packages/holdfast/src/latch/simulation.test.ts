/**
 * What could go wrong, and the test for each; the same checks find what a latch written by hand does wrong:
 * - a repeat counts twice, so that it opens before all are there ...... "opens when all are there, and not before"
 * - a waiter never passes     ....................................... the same
 */
import { expect, it } from "vitest";
import { schedules, untilTold } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";

const LONG = { timeout: 600_000 };
const ROUNDS = 3;

interface Gate {
  countDown(client: SimulatedClient, round: number): Promise<unknown>;
  wait(client: SimulatedClient, round: number): Promise<unknown>;
}

const ours = (count: number): Gate => ({
  countDown: (client, round) => untilTold(client, () => client.hf.latch(`l${round}`, { count }).countDown(client.name)),
  wait: (client, round) => untilTold(client, () => client.hf.latch(`l${round}`, { count }).wait({ timeout: "1m" })),
});

/** DECR, sent again when its answer was lost, as written by hand. */
const naive = (count: number): Gate => {
  const decrease = ({ hf }: SimulatedClient, round: number): Promise<number> =>
    hf.driver.send(["INCR", `l${round}`], { op: "incr", class: "idempotent" }, `l${round}`).then(Number);
  return {
    countDown: (client, round) => untilTold(client, () => decrease(client, round)),
    async wait(client, round) {
      for (;;) {
        const call = { op: "get", class: "read" } as const;
        const at = await untilTold(client, () =>
          client.hf.driver.send(["GET", `l${round}`], call, `l${round}`).then(Number),
        );
        if (at >= count) return;
        await client.sleep(50);
      }
    },
  };
};

function together(gateOf: (count: number) => Gate): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random }) => {
    const gate = gateOf(clients.length);
    const there = Array.from({ length: ROUNDS }, () => new Set<string>());
    const work = async (client: SimulatedClient): Promise<void> => {
      for (const [round, present] of there.entries()) {
        await client.sleep(random.integer(0, 500));
        present.add(client.name);
        await gate.countDown(client, round);
        await gate.wait(client, round);
        if (present.size < clients.length) throw new Error(`${client.name} passed while ${present.size} were there`);
      }
    };
    await Promise.all(clients.map(work));
  };
}

it("opens when all are there, and not before", LONG, async () => {
  await simulate({ ...schedules(8), clients: 3 }, together(ours));
});

it("a counter that is sent again opens before all are there, and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 200, seed: 1, clients: 3 }, together(naive))).rejects.toThrow(/were there/);
});
