/**
 * Once: an `update` that was answered `ok` is in the record exactly once, and one that was not answered at most once,
 * whatever is lost, late or repeated, and however many writes come before the repeat. The same check finds a loop that
 * takes a conflict after a lost answer for an ordinary one. The same for a `patch` over any state, where everybody takes
 * out what the patches of all put in.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage } from "../../test/support/simulated.ts";
import { OutcomeUnknownError } from "../base/errors.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";

const DURING_MS = 1_500;
/** More writes than a record remembers. */
const BURST = 20;

interface Doc {
  n: number;
  /** The call of the last patch, until it is taken. */
  posted?: string;
  noise?: number;
  /** The calls of which the record has the effect, once for each time. */
  done: string[];
}

type Mark = (call: string) => Promise<boolean>;
type MarkOf = (client: SimulatedClient) => Mark;

const encrypt = { keys: { k: "11".repeat(32) }, current: "k" };

const ours: MarkOf = ({ hf }) => {
  const records = hf.records<Doc>("docs", { encrypt });
  return async (call) => {
    const mark = ({ n, done, ...rest }: Doc): Doc => ({ ...rest, n: n + 1, done: [...done, call] });
    return (await records.update("doc", mark, { initial: { n: 0, done: [] } })).status === "ok";
  };
};

/** Patches, and notes which patches it finds. Those that others overwrite are never noted, so nothing counts as answered. */
const patching: MarkOf = ({ hf }) => {
  const records = hf.records<Doc>("docs", { encrypt });
  const take = ({ posted, ...rest }: Doc): Doc => ({ ...rest, done: posted ? [...rest.done, posted] : rest.done });
  return async (posted) => {
    if ((await records.patch("doc", { posted })).status === "missing") await records.set("doc", { n: 0, done: [] });
    await records.update("doc", take);
    return false;
  };
};

/** Compare and set by hand, which begins again whenever it did not get an `ok`. */
const naive: MarkOf = (client) => {
  const records = client.hf.records<Doc>("docs", { encrypt });
  return async (call) => {
    for (let round = 0; round < 5; round += 1) {
      const { value, version } = (await records.get("doc")) ?? { value: { n: 0, done: [] }, version: 0 };
      const next = { ...value, n: value.n + 1, done: [...value.done, call] };
      const written = await records.set("doc", next, { version }).catch((error: unknown) => {
        if (error instanceof OutcomeUnknownError) return { status: "conflict" };
        throw error;
      });
      if (written.status === "ok") return true;
      await client.sleep(5);
    }
    return false;
  };
};

function once(markOf: MarkOf): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now }) => {
    const answered = new Set<string>();
    await Promise.all(
      clients.map(async (client) => {
        const mark = markOf(client);
        const noisy = client.hf.records<Doc>("docs", { encrypt });
        for (let at = 0; now() < DURING_MS; at += 1) {
          const call = `${client.name}-${at}`;
          if (random.chance(0.3)) {
            const burst = Array.from({ length: BURST }, (_, noise) => noisy.patch("doc", { noise }));
            await Promise.all(burst.map((each) => unlessOutage(() => each)));
          } else if ((await unlessOutage(() => mark(call))) === true) answered.add(call);
          await client.sleep(random.integer(0, 100));
        }
      }),
    );
    const [first] = clients;
    // Long enough for everything that was in flight to arrive.
    await first!.sleep(8_000);
    const stored = await first!.hf.records<Doc>("docs", { encrypt }).get("doc");
    const done = stored?.value.done ?? [];
    const twice = done.find((call, at) => done.indexOf(call) !== at);
    if (twice !== undefined) throw new Error(`the update ${twice} was applied twice`);
    const lost = [...answered].filter((call) => !done.includes(call));
    if (lost.length > 0) throw new Error(`updates that were answered are lost: ${lost.join(", ")}`);
  };
}

it("an update happens once, or its outcome is unknown", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, once(ours));
});

it("a patch happens once, or its outcome is unknown", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(), clients: 3 }, once(patching));
});

it("a loop that takes every conflict for another's applies a change twice, and the simulation finds it", async () => {
  const search = simulate({ schedules: 200, seed: 1, clients: 3 }, once(naive));
  await expect(search).rejects.toThrow(SimulationError);
});
