/**
 * Parallel sign-ins of one visitor, with one session per user: whoever is answered `ok` last before it is quiet has a
 * session that lives, and never more than one lives. The same check finds a sign-in that evicts before it has won.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";

const DURING_MS = 1_500;

interface Data {
  cart: string[];
}

interface Visitors {
  /** The id of a new visitor. */
  arrive(): Promise<string>;
  /** The id after the sign-in; undefined where another sign-in of this visitor won. */
  signIn(id: string): Promise<string | undefined>;
  count(): Promise<number>;
  lives(id: string): Promise<boolean>;
}

type VisitorsOf = (client: SimulatedClient) => Visitors;

const ours: VisitorsOf = ({ hf }) => {
  const sessions = hf.sessions<Data>({ maxPerUser: 1 });
  const idOf = (answer: { status: string; id?: string }): string | undefined => answer.id;
  return {
    arrive: async () => idOf(await sessions.create({ data: { cart: [] } }))!,
    signIn: async (id) => idOf(await sessions.rotate(id, { user: "ada" })),
    count: async () => (await sessions.list("ada")).length,
    lives: async (id) => (await sessions.get(id)) !== undefined,
  };
};

/** Creates the user's session first, which evicts another, and ends it again where the visitor's was gone already. */
const hasty: VisitorsOf = (client) => {
  const sessions = client.hf.sessions<Data>({ maxPerUser: 1 });
  return {
    ...ours(client),
    async signIn(id) {
      if ((await sessions.get(id)) === undefined) return undefined;
      const created = await sessions.create({ user: "ada", data: { cart: [] } });
      if (created.status !== "ok") return undefined;
      if (await sessions.destroy(id)) return created.id;
      await sessions.destroy(created.id);
      return undefined;
    },
  };
};

function oneLives(visitorsOf: VisitorsOf): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, note }) => {
    const [first] = clients;
    const there = visitorsOf(first!);
    while (now() < DURING_MS) {
      const id = await unlessOutage(() => there.arrive());
      if (id === undefined) {
        await first!.sleep(50);
        continue;
      }
      const signIns = clients.map(async (client) => {
        await client.sleep(random.integer(0, 5));
        return unlessOutage(() => visitorsOf(client).signIn(id)).then((next) => ({ next }));
      });
      const answers = (await Promise.all(signIns)).map(({ next }) => next);
      const winners = answers.filter((next) => next !== undefined);
      note(`${winners.length} of ${answers.length} sign-ins won`);
      if (winners.length > 1) throw new Error("two sign-ins of one visitor won");
      // Long enough for everything that was in flight to arrive.
      await first!.sleep(8_000);
      const alive = await unlessOutage(async () => ({
        winner: winners.length === 0 || (await there.lives(winners[0]!)),
        count: await there.count(),
      }));
      if (alive?.winner === false) throw new Error("a sign-in was answered with a session that is dead");
      if (alive !== undefined && alive.count > 1) throw new Error("more than one session of the user lives");
    }
  };
}

it("a sign-in that won has a session that lives", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, oneLives(ours));
});

it("a sign-in that evicts before it has won ends the winner's session, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3, chaos: 0 }, oneLives(hasty));
  await expect(search).rejects.toThrow(SimulationError);
});
