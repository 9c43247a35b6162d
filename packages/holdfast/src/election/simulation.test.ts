/**
 * What could go wrong, and the test for each; the same checks find what an election written by hand does wrong:
 * - two lead at a time, or in one term, while the server keeps its data ... "one leader at a time, one per term"
 * - a term does not rise, also where the server loses its data ........... the same, "even where the server loses its data"
 * - a late copy of a request leads ...................................... "where late copies are not fenced off"
 * - the server's clock is set back during all that ....................... the first, in half of the schedules
 * - a leader begins before the function of the one before has ended ....... the same: a function goes on until it sees its signal
 * - an observer sees terms go back ..................................... the same
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";

const DURING_MS = 3_000;
const TTL_MS = 500;
const LONG = { timeout: 600_000 };
/** How far a clock is set back: from what NTP does to what an operator does. */
const STEPS_BACK_MS = [50, 1_000, 3_600_000];

interface Lead {
  /** What the leader itself believes, at any moment. */
  readonly held: boolean;
  readonly term: number;
  resign(): Promise<unknown>;
}

type Campaign = (client: SimulatedClient) => Promise<Lead | undefined>;

const ours: Campaign = ({ hf, name }) => hf.election("e", { ttl: TTL_MS, id: name }).campaign({ wait: "2s" });

/** SET NX PX with a counter for a term: what is written by hand. It believes that it leads until it has resigned. */
const naive: Campaign = async ({ hf: { driver }, name }) => {
  const call = { op: "naive", class: "unsafe" } as const;
  if ((await driver.send(["SET", "leader", name, "NX", "PX", String(TTL_MS)], call, "leader")) === null)
    return undefined;
  const term = Number(await driver.send(["INCR", "term"], call, "term"));
  const lead = {
    held: true,
    term,
    async resign() {
      lead.held = false;
      await driver.send(["DEL", "leader"], call, "leader");
    },
  };
  return lead;
};

function oneLeader(campaign: Campaign, alone = true): (simulation: Simulation) => Promise<void> {
  return async ({ clients, server, random, now, sleep, note }) => {
    const leads = new Map<string, Lead>();
    const terms = new Map<number, string>();
    let highest = 0;

    const serve = async (client: SimulatedClient): Promise<void> => {
      const lead = await unlessOutage(() => campaign(client));
      if (lead?.held !== true) return;
      note(`${client.name} leads in ${lead.term}`);
      const before = terms.get(lead.term);
      if (before !== undefined) throw new Error(`${client.name} and ${before} led in term ${lead.term}`);
      if (lead.term < highest) throw new Error(`term ${lead.term} after ${highest}`);
      for (const [other, theirs] of leads) {
        if (alone && theirs.held && lead.held) throw new Error(`${client.name} and ${other} lead`);
      }
      terms.set(lead.term, client.name);
      highest = lead.term;
      leads.set(client.name, lead);
      await client.sleep(random.integer(0, 2 * TTL_MS));
      await unlessOutage(() => lead.resign());
      leads.delete(client.name);
    };

    const observe = async (client: SimulatedClient): Promise<void> => {
      let seen = 0;
      const states = client.hf.election("e", { ttl: TTL_MS }).observe();
      const end = sleep(DURING_MS).then(() => states.return!());
      for await (const state of states) {
        if (state.status !== "led") continue;
        if (state.term < seen) throw new Error(`${client.name} saw term ${state.term} after ${seen}`);
        seen = state.term;
      }
      await end;
    };

    const setBack = alone && random.chance(0.5);
    const steps = async (): Promise<void> => {
      if (!setBack) return;
      while (now() < DURING_MS) {
        await sleep(random.integer(1, 2_000));
        server.stepClock(-random.pick(STEPS_BACK_MS));
      }
    };

    const works = clients.map(async (client) => {
      while (now() < DURING_MS) {
        await serve(client);
        await client.sleep(random.integer(1, 50));
      }
    });
    await Promise.all([...works, observe(clients[0]!), steps()]);
    if (terms.size === 0) note("nobody ever led");
  };
}

it("one leader at a time, one per term, and terms rise", LONG, async () => {
  await simulate({ ...schedules(10), clients: 3 }, oneLeader(ours));
});

it("the same where late copies are not fenced off", LONG, async () => {
  await simulate({ ...schedules(8), clients: 3, faults: { lateCopies: true } }, oneLeader(ours));
});

it("one per term and terms rise even where the server loses its data", LONG, async () => {
  await simulate({ ...schedules(8), clients: 3, faults: { dataLoss: true } }, oneLeader(ours, false));
});

it("a leader that believes in its ttl alone is one of two, and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 200, seed: 1, clients: 3 }, oneLeader(naive))).rejects.toThrow(/ lead/);
});

it("a term that is a counter is led in twice where data is lost, and the simulation finds it", LONG, async () => {
  const options = { schedules: 200, seed: 1, clients: 3, faults: { dataLoss: true } };
  await expect(simulate(options, oneLeader(naive, false))).rejects.toThrow(/term/);
});

it("with a runner, a function begins when the one before has ended or has seen its signal", LONG, async () => {
  await simulate({ ...schedules(15), clients: 3 }, async ({ clients, random, sleep }) => {
    const running = new Map<string, { readonly signal: AbortSignal; readonly held: boolean }>();
    const runners = clients.map((client) => {
      const { hf, name } = client;
      return hf.election("e", { ttl: TTL_MS, id: name }).lead(
        async (leadership) => {
          if (running.has(name)) throw new Error(`${name} runs twice`);
          for (const [other, theirs] of running) {
            if (theirs.held && leadership.held) throw new Error(`${name} began beside ${other}`);
          }
          running.set(name, leadership);
          const until = random.integer(1, 6);
          for (let at = 0; at < until && !leadership.signal.aborted; at += 1) await client.sleep(TTL_MS / 4);
          running.delete(name);
        },
        { closeTimeout: "10s", onError: (error) => void failures.push(error) },
      );
    });
    const failures: unknown[] = [];
    await sleep(DURING_MS);
    await Promise.all(runners.map((runner) => runner.close()));
    if (failures.length > 0) throw failures[0];
  });
});
