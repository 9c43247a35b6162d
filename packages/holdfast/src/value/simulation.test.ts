/**
 * What could go wrong, and the test for each; the same checks find what a watch written by hand does wrong:
 * - a watch goes back, or ends at an old value .......... "a watch never goes back, and sees the last in the end"
 * - an update is lost, or happens twice ................ the same
 * - both where the server loses its data ............... "never goes back where the server loses its data"
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation } from "../testing/index.ts";
import type { ValueState } from "./watcher.ts";

const CHAOS_MS = 3_000;
const CALM_MS = 40_000;
const LONG = { timeout: 600_000 };

type Watch = (client: SimulatedClient) => AsyncIterableIterator<ValueState<number>>;

const ours: Watch = ({ hf }) => hf.value<number>("v").watch();

/** Reads when a message comes, and believes that one always comes. */
const naive: Watch = async function* ({ hf }) {
  let resume = (): void => undefined;
  const listener = { message: () => resume(), gap: () => undefined };
  await hf.driver.subscribe("exact", "hf:value:v", listener, { op: "watch", class: "idempotent", timeoutMs: 60_000 });
  for (;;) {
    const changed = new Promise<void>((resolve) => (resume = resolve));
    const entry = await hf
      .value<number>("v")
      .get()
      .catch(() => undefined);
    if (entry !== undefined) yield { ...entry, stale: false };
    await changed;
  }
};

function watched(watch: Watch, keeps = true): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, sleep, note }) => {
    let [done, unknown] = [0, 0];
    const last = new Map<string, ValueState<number>>();
    const look = async (client: SimulatedClient): Promise<void> => {
      for await (const state of watch(client)) {
        note(`${client.name} sees ${state.value} of ${state.version}${state.stale ? ", stale" : ""}`);
        const before = last.get(client.name);
        if (before !== undefined && state.version < before.version) throw new Error(`${client.name} went back`);
        last.set(client.name, state);
        await client.sleep(random.integer(0, 100));
      }
    };
    const looks = clients.map(look);
    const failed = Promise.race(looks.map((each) => each.then(() => undefined)));
    failed.catch(() => undefined);
    const write = async (client: SimulatedClient): Promise<void> => {
      while (now() < CHAOS_MS) {
        const value = client.hf.value<number>("v", { attempts: 20 });
        const result = await unlessOutage(() => value.update((n) => n + 1, { initial: 0 }));
        if (result === undefined) unknown += 1;
        else if (result.status === "ok") done += 1;
        await client.sleep(random.integer(1, 200));
      }
    };
    await Promise.race([failed, Promise.all(clients.map(write))]);
    // Nothing goes wrong any more: whatever was missed is read again by now.
    await Promise.race([failed, sleep(CALM_MS)]);
    const entry = await clients[0]!.hf.value<number>("v").get();
    const sum = entry?.value ?? 0;
    if (keeps && (sum < done || sum > done + unknown)) throw new Error(`${sum} after ${done} and ${unknown} updates`);
    for (const { name } of clients) {
      const seen = last.get(name);
      if (keeps && entry !== undefined && (seen?.version !== entry.version || seen.stale))
        throw new Error(`${name} does not see the last`);
    }
  };
}

it("a watch never goes back, and sees the last in the end; each update happens once", LONG, async () => {
  await simulate({ ...schedules(15), clients: 3 }, watched(ours));
});

it("a watch never goes back where the server loses its data", LONG, async () => {
  await simulate({ ...schedules(10), clients: 3, faults: { dataLoss: true } }, watched(ours, false));
});

it("a watch that believes in messages alone does not see the last, and the simulation finds it", LONG, async () => {
  await expect(simulate({ schedules: 100, seed: 1, clients: 3 }, watched(naive))).rejects.toThrow(/does not see/);
});
