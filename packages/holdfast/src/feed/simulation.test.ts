/**
 * Whole: whatever is lost, late or repeated, and whoever dies in between, in the end a reader's pages are what the outboxes of those hold who
 * are followed, each entry once; what was answered is there, and what was deleted is not. The same check finds a fan-out that is not noted
 * before it begins.
 */
import { expect, it } from "vitest";
import { schedules, unlessOutage, untilTold } from "../../test/support/simulated.ts";
import { simulate, type SimulatedClient, type Simulation, SimulationError } from "../testing/index.ts";
import type { Feed } from "./feed.ts";

const DURING_MS = 3_000;
/** What was begun by one who died is ended half a minute later, at a look that comes within a minute. */
const ENDED_MS = 90_000;
const AUTHORS = ["ada", "bob"];
const READERS = ["r0", "r1", "r2"];

type Publish = (author: string, n: number) => Promise<string>;

const feedOf = ({ hf }: SimulatedClient): Feed<number> => hf.feed<number>("home");

const ours = (client: SimulatedClient): Publish => {
  const feed = feedOf(client);
  return async (author, n) => (await feed.publish(author, n, { id: String(n) })).id;
};

/** Outbox, then inboxes, by hand. */
const naive = (client: SimulatedClient): Publish => {
  const feed = feedOf(client);
  const send = (...args: string[]): Promise<unknown> =>
    client.hf.driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  return async (author, n) => {
    const { id } = await feed.publish(author, n, { id: String(n), to: ["nobody"], followers: false });
    const at = String((await feed.get(id))!.at * 1_000 + n);
    await send("ZADD", `hf:feed:home:{${author}}:outbox`, at, id);
    for (const reader of (await feed.followers(author)).followers) {
      const inbox = `hf:feed:home:{${reader}}:inbox`;
      if (Number(await send("PTTL", inbox)) > 0) await send("ZADD", inbox, at, id);
    }
    return id;
  };
};

async function whole(feed: Feed<number>, reader: string): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await feed.page(reader, cursor === undefined ? {} : { cursor });
    found.push(...page.entries.map(({ id }) => id));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return found;
}

function checked(publishOf: (client: SimulatedClient) => Publish): (simulation: Simulation) => Promise<void> {
  return async ({ clients, random, now }) => {
    const answered = new Map<string, string>();
    const deleted = new Set<string>();
    const [first, , mortal] = clients;
    const pick = <T>(all: readonly T[]): T => all[random.integer(0, all.length - 1)]!;
    const act = async (client: SimulatedClient, at: number): Promise<void> => {
      const feed = feedOf(client);
      const [author, reader] = [pick(AUTHORS), pick(READERS)];
      const chance = random.fraction();
      if (chance < 0.4) answered.set(await publishOf(client)(author, at), author);
      else if (chance < 0.6) await feed.follow(reader, author);
      else if (chance < 0.7) await feed.unfollow(reader, author);
      else if (chance < 0.8 && answered.size > 0) {
        const id = pick([...answered.keys()]);
        answered.delete(id);
        if (await feed.delete(id)) deleted.add(id);
      } else await feed.page(reader);
    };
    let call = 0;
    const living = clients.map(async (client) => {
      while (now() < DURING_MS) {
        call += 1;
        const at = call;
        await unlessOutage(() => act(client, at));
        await client.sleep(random.integer(0, 60));
      }
    });
    await first!.sleep(random.integer(500, DURING_MS));
    mortal!.kill();
    await Promise.all(living.slice(0, 2));
    const feed = feedOf(first!);
    for (let at = 0; at < ENDED_MS; at += 5_000) {
      await unlessOutage(() => feed.page("nobody"));
      await first!.sleep(5_000);
    }
    for (const reader of READERS) {
      const followed = await untilTold(first!, () => feed.following(reader));
      const page = await untilTold(first!, () => whole(feed, reader));
      const boxes = await Promise.all(
        followed.map((author) => untilTold(first!, () => feed.outbox(author, { limit: 100 }))),
      );
      const inBoxes = new Set(boxes.flatMap(({ entries }) => entries.map(({ id }) => id)));
      const missing = [...inBoxes].filter((id) => !page.includes(id));
      if (missing.length > 0) throw new Error(`${reader} does not have ${missing.join(", ")}`);
      if (new Set(page).size < page.length) throw new Error(`${reader} has an entry twice`);
      if (page.some((id) => !inBoxes.has(id))) throw new Error(`${reader} has what nobody has published`);
      if (page.some((id) => deleted.has(id))) throw new Error(`${reader} has what was deleted`);
      const lost = [...answered].find(([id, author]) => followed.includes(author) && !inBoxes.has(id));
      if (lost !== undefined) throw new Error(`what was published is lost: ${lost[0]}`);
    }
  };
}

it("in the end each page is what the outboxes hold", { timeout: 600_000 }, async () => {
  await simulate({ ...schedules(8), clients: 3 }, checked(ours));
});

it("a fan-out that is not noted before it begins loses entries, and the simulation finds it", async () => {
  const search = simulate({ schedules: 100, seed: 12, clients: 3 }, checked(naive));
  await expect(search).rejects.toThrow(SimulationError);
});
