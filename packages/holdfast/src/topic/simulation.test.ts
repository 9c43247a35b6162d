/**
 * What could go wrong, and the test for each; the same checks find what a topic written by hand does wrong:
 * - a message is repeated, or out of order .......... "each once, in order", found: "sent again"
 * - what was acknowledged is missed without a word .. the same, found: "live only"
 * - a server that lost its data is not noticed ...... "a server that loses what it had"
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";

const LONG = { timeout: 600_000 };
const PUBLISHERS = 2;
const MESSAGES = 12;
const LAST = "last";

interface Log {
  /** Whether it was acknowledged. */
  publish(client: SimulatedClient, message: string): Promise<boolean>;
  /** Calls `seen` with each message until it returns true, and `missing` where it knows that something is missing. */
  read(client: SimulatedClient, seen: (message: string) => boolean, missing: () => void): Promise<void>;
}

const ours: Log = {
  publish: async (client, message) => {
    // An id, because an attempt whose outcome nobody knows is made again.
    const options = message === LAST ? undefined : { id: message };
    await untilTold(client, () => client.hf.topic<string>("t").publish(message, options));
    return true;
  },
  async read({ hf }, seen, missing) {
    await using stream = hf.topic<string>("t").messages({ from: "start", onGap: missing });
    for await (const { payload } of stream) if (seen(payload)) return;
  },
};

const call = { op: "test", class: "idempotent" } as const;

/** XADD, sent again when its answer was lost, and XRANGE from the last id on. */
const sentAgain: Log = {
  publish: async (client, message) => {
    for (;;) {
      const id = await unlessOutage(() => client.hf.driver.send(["XADD", "t", "*", "m", message], call, "t"));
      if (id !== undefined) return true;
      await client.sleep(50);
    }
  },
  async read(client, seen) {
    for (let from = "-"; ; await client.sleep(50)) {
      const entries = await unlessOutage(() =>
        client.hf.driver.send(["XRANGE", "t", from, "+"], { ...call, class: "read" }, "t"),
      );
      for (const entry of (entries ?? []) as [Buffer, [Buffer, Buffer]][]) {
        from = `(${String(entry[0])}`;
        if (seen(String(entry[1][1]))) return;
      }
    }
  },
};

/** A channel alone. */
const liveOnly: Log = {
  publish: async ({ hf }, message) =>
    (await unlessOutage(() => hf.channel<string>("t").publish(message))) !== undefined,
  async read({ hf }, seen) {
    await using stream = hf.channel<string>("t").messages();
    for await (const message of stream) if (seen(message)) return;
  },
};

function acrossFaults(log: Log): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random }) => {
    const acknowledged = new Set<string>();
    const left = { publishers: PUBLISHERS, readers: clients.length - PUBLISHERS };
    const publisher = async (client: SimulatedClient): Promise<void> => {
      for (let at = 0; at < MESSAGES; at += 1) {
        const message = `${client.name} ${String(at).padStart(3, "0")}`;
        if (await log.publish(client, message)) acknowledged.add(message);
        await client.sleep(random.integer(0, 300));
      }
      left.publishers -= 1;
      // Again and again, as that one can be lost too.
      for (; left.publishers === 0 && left.readers > 0; await client.sleep(500)) await log.publish(client, LAST);
    };
    const reader = async (client: SimulatedClient): Promise<void> => {
      const seen: string[] = [];
      let isTold = false;
      await log.read(
        client,
        (message) => {
          if (message !== LAST) seen.push(message);
          return message === LAST;
        },
        () => {
          isTold = true;
        },
      );
      left.readers -= 1;
      if (isTold) return;
      if (new Set(seen).size < seen.length) throw new Error(`${client.name} saw a message twice`);
      for (const { name } of clients.slice(0, PUBLISHERS)) {
        const own = seen.filter((message) => message.startsWith(name));
        if (own.join() !== own.toSorted().join()) throw new Error(`${client.name} saw messages out of order`);
      }
      for (const message of acknowledged)
        if (!seen.includes(message)) throw new Error(`${client.name} missed ${message}`);
    };
    await Promise.all(clients.map((client, at) => (at < PUBLISHERS ? publisher(client) : reader(client))));
  };
}

it("each reader gets what was acknowledged, each once, in order", LONG, async () => {
  await simulate({ ...schedules(6), clients: 4 }, acrossFaults(ours));
});

it("a server that loses what it had is told, or nothing is missing", LONG, async () => {
  await simulate({ ...schedules(6), clients: 4, faults: { dataLoss: true } }, acrossFaults(ours));
});

it("an entry that is sent again is there twice, and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 200, seed: 1, clients: 4 }, acrossFaults(sentAgain))).rejects.toThrow(
    /twice|order/,
  );
});

it("what is only sent to those who listen is missed, and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 200, seed: 1, clients: 4 }, acrossFaults(liveOnly))).rejects.toThrow(/missed/);
});
