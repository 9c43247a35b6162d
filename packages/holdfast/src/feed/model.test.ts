/** Histories of publications, follows and deletions by two processes, against lists. fast-check prints the seed of a history that differs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { Feed } from "./feed.ts";

const USERS = ["a", "b", "c"] as const;
const user = fc.constantFrom(...USERS);

type Step =
  | { readonly kind: "publish"; readonly author: string; readonly minutesAgo: number; readonly count: number }
  | { readonly kind: "follow" | "unfollow"; readonly reader: string; readonly author: string }
  | { readonly kind: "delete"; readonly at: number }
  | { readonly kind: "page"; readonly reader: string; readonly limit: number }
  | { readonly kind: "lose"; readonly reader: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      author: user,
      minutesAgo: fc.nat(50),
      count: fc.constantFrom(1, 2, 60),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("follow" as const, "unfollow" as const), reader: user, author: user }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), at: fc.nat(500) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("page" as const), reader: user, limit: fc.integer({ min: 1, max: 100 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("lose" as const), reader: user }) },
);

interface Posted {
  readonly id: string;
  readonly author: string;
  readonly at: number;
}

class Model {
  posted: Posted[] = [];
  /** By reader and author, the time from which on entries are shown. */
  readonly follows = new Map<string, number>();

  feedOf(reader: string): string[] {
    return this.posted
      .filter(({ author, at }) => at >= (this.follows.get(`${reader}:${author}`) ?? Infinity))
      .toSorted((x, y) => y.at - x.at || (x.id < y.id ? 1 : -1))
      .map(({ id }) => id);
  }
}

async function whole(feed: Feed<number>, reader: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await feed.page(reader, cursor === undefined ? { limit } : { limit, cursor });
    found.push(...page.entries.map(({ id }) => id));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return found;
}

describe.each(backends("standalone", "embedded"))("feeds against a model [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  /** What was answered, and what it should have been. */
  async function history(steps: readonly Step[], chance: number, start: number): Promise<[unknown, unknown][]> {
    const model = new Model();
    const answers: [unknown, unknown][] = [];
    const name = randomName();
    const feeds = [handles.a, handles.b].map((hf) => hf.feed<number>(name));
    for (const [turn, each] of steps.entries()) {
      const feed = feeds[(turn + chance) & 1]!;
      if (each.kind === "publish") {
        const at = start - each.minutesAgo * 60_000;
        const results = await Promise.all(
          Array.from({ length: each.count }, (_, n) => feed.publish(each.author, n, { at: at + n })),
        );
        for (const [n, { id }] of results.entries()) model.posted.push({ id, author: each.author, at: at + n });
      } else if (each.kind === "follow") {
        const key = `${each.reader}:${each.author}`;
        const { status } = await feed.follow(each.reader, each.author, { backfill: 20 });
        answers.push([status, model.follows.has(key) ? "duplicate" : "ok"]);
        const own = model.posted.filter(({ author }) => author === each.author).map(({ at }) => at);
        const from = own.toSorted((x, y) => y - x)[19] ?? 0;
        if (!model.follows.has(key)) model.follows.set(key, from);
      } else if (each.kind === "unfollow") {
        const did = await feed.unfollow(each.reader, each.author);
        answers.push([did, model.follows.delete(`${each.reader}:${each.author}`)]);
      } else if (each.kind === "delete") {
        const gone = model.posted[each.at];
        if (gone !== undefined) answers.push([await feed.delete(gone.id), true]);
        model.posted = model.posted.filter((posted) => posted !== gone);
      } else if (each.kind === "lose") {
        await handles.send("UNLINK", `${handles.prefix}:feed:${name}:{${each.reader}}:inbox`);
      } else if ("limit" in each) answers.push([await whole(feed, each.reader, each.limit), model.feedOf(each.reader)]);
    }
    for (const reader of USERS) answers.push([await whole(feeds[0]!, reader, 50), model.feedOf(reader)]);
    return answers;
  }

  it("pages are those of lists", async () => {
    const start = Date.now();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), fc.integer(), async (steps, chance) => {
        for (const [answer, expected] of await history(steps, chance, start)) expect(answer).toEqual(expected);
      }),
      { numRuns: 8 },
    );
  });
});
