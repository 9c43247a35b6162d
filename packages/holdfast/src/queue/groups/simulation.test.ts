/**
 * Under kills, lost replies, pauses, skews and restarts a group of concurrency 1 never has two runs on the server at once, and nothing that was
 * accepted is lost; at the end no place is taken any more. The same check finds that groups without a limit break the first, so it can fail.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../../test/support/simulated.ts";
import { simulate, type Simulation, SimulationError } from "../../testing/index.ts";
import type { QueueGroupOptions } from "./options.ts";

const DURING_MS = 2_000;
const GROUPS = ["a", "b", "c"];

/** The group of which two jobs run, or an empty text: seen by the server, whose word counts. */
const DOUBLED = `
local head, seen = ARGV[1], {}
for _, worker in ipairs(redis.call('ZRANGE', head .. 'workers', 0, -1)) do
  for _, id in ipairs(redis.call('ZRANGE', head .. 'active:' .. worker, 0, -1)) do
    local record = redis.call('HGET', head .. 'jobs', id)
    local group = record and string.match(record, '^%d+{"g":"(%a+)"') or ''
    if seen[group] then return group end
    seen[group] = group ~= ''
  end
end
return ''`;

function keepsItsLimit(limits: QueueGroupOptions): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now, sleep }) => {
    const accepted = new Set<number>();
    const ended = new Set<number>();
    let added = 0;
    let doubled = "";
    const queues = clients.map(({ hf }) =>
      hf.queue<number>("jobs", { attempts: 100, maxCrashes: 1_000, backoff: { delay: 20 }, timeout: "500ms" }),
    );
    const witness = clients.at(-1)!;
    const queue = queues.at(-1)!;
    await untilTold(witness, () => queue.groups.set("*", limits).then(() => true));
    const look = async (): Promise<void> => {
      const { driver } = witness.hf;
      const args = ["EVAL", DOUBLED, "1", "hf:queue:{jobs}:jobs", "hf:queue:{jobs}:"];
      const found = await unlessOutage(() => driver.send(args, { op: "test", class: "read" }, "hf:queue:{jobs}:jobs"));
      if (found !== undefined && String(found) !== "") doubled = String(found);
    };
    for (const [at, client] of clients.entries())
      queues[at]!.work(
        async (job) => {
          await look();
          await client.sleep(random.integer(0, 150));
          if (random.chance(0.1)) throw new Error("not this time");
          ended.add(job.payload);
        },
        { concurrency: 3, lease: "1s", poll: 300 },
      );
    await Promise.all(
      clients
        .map(async (client, at) => {
          while (now() < DURING_MS) {
            const payload = (added += 1);
            const group = GROUPS[random.integer(0, GROUPS.length - 1)]!;
            const adding = () => queues[at]!.add(payload, { group, delay: random.chance(0.2) ? 50 : 0 });
            if ((await unlessOutage(adding)) !== undefined) accepted.add(payload);
            await client.sleep(random.integer(0, 150));
            // One of them dies on the way; the last one never does.
            if (at === 0 && random.chance(0.05)) return client.kill();
          }
        })
        .map((work, at) => (at === 0 ? Promise.race([work, sleep(DURING_MS)]) : work)),
    );
    const left = () => queue.counts().then(({ waiting, delayed, active }) => ({ count: waiting + delayed + active }));
    for (let round = 0; (await untilTold(witness, left)).count > 0; round += 1) {
      if (round === 600) throw new Error("the jobs do not end");
      await witness.sleep(100);
    }
    if (doubled !== "") throw new Error(`two jobs of group ${doubled} at once`);
    const lost = [...accepted].filter((payload) => !ended.has(payload));
    if (lost.length > 0) throw new Error(`accepted and lost: ${lost.join(", ")}`);
    const { groups } = await untilTold(witness, () => queue.groups.page());
    if (groups.length > 0) throw new Error(`a place is still taken in ${groups.map(({ group }) => group).join(", ")}`);
  };
}

it("never runs two jobs of a group of concurrency 1, and loses none", { timeout: 300_000 }, async () => {
  await simulate({ ...schedules(8), clients: 3 }, keepsItsLimit({ concurrency: 1 }));
});

it("the check finds that groups without a limit run two at once", { timeout: 300_000 }, async () => {
  const search = simulate({ schedules: 10, seed: 1, clients: 3 }, keepsItsLimit({}));
  await expect(search).rejects.toThrow(SimulationError);
  await expect(search).rejects.toThrow(/two jobs of group/);
});
