/** Random histories of an index against a plain map from items to tags. */
import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { TagsQuery } from "./query.ts";
import type { Tags } from "./tags.ts";

const MAX_ITEMS = 4;

interface Query {
  readonly all: string[];
  readonly any: string[];
  readonly not: string[];
}

type Step =
  | { readonly do: "add" | "set" | "remove"; readonly item: string; readonly tags: string[] }
  | { readonly do: "drop" | "of"; readonly item: string }
  | { readonly do: "count"; readonly tag: string }
  | { readonly do: "find"; readonly query: Query };

class Model {
  readonly items = new Map<string, Set<string>>();

  run(step: Step): unknown {
    switch (step.do) {
      case "add":
        return this.#change(step.item, [...this.#tags(step.item), ...step.tags]);
      case "set":
        return this.#change(step.item, step.tags);
      case "remove":
        this.#change(
          step.item,
          [...this.#tags(step.item)].filter((tag) => !step.tags.includes(tag)),
        );
        return this.of(step.item);
      case "drop":
        this.items.delete(step.item);
        return [];
      case "of":
        return this.of(step.item);
      case "count":
        return this.matching({ all: [step.tag], any: [], not: [] }).length;
      default:
        return this.matching(step.query);
    }
  }

  of(item: string): string[] {
    return [...this.#tags(item)].sort();
  }

  matching({ all, any, not }: Query): string[] {
    const fits = (tags: Set<string>): boolean =>
      all.every((tag) => tags.has(tag)) &&
      (any.length === 0 || any.some((tag) => tags.has(tag))) &&
      !not.some((tag) => tags.has(tag));
    const found = [...this.items].filter(([, tags]) => fits(tags)).map(([item]) => item);
    return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  #tags(item: string): Set<string> {
    return this.items.get(item) ?? new Set();
  }

  #change(item: string, tags: Iterable<string>): unknown {
    const next = new Set(tags);
    if (next.size > 0 && !this.items.has(item) && this.items.size >= MAX_ITEMS)
      return { status: "limit", limit: "items" };
    if (next.size === 0) this.items.delete(item);
    else this.items.set(item, next);
    return { status: "ok", tags: this.of(item) };
  }
}

async function ask(index: Tags, step: Step): Promise<unknown> {
  switch (step.do) {
    case "add":
      return index.add(step.item, step.tags);
    case "set":
      return index.set(step.item, step.tags);
    case "remove":
      return index.remove(step.item, step.tags);
    case "drop":
      return index.remove(step.item);
    case "of":
      return index.of(step.item);
    case "count":
      return index.count(step.tag);
    default:
      return index.find({ ...step.query, limit: 1_000 }).then(({ items }) => items);
  }
}

async function walk(index: Tags, query: TagsQuery, limit: number): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await index.find({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    found.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

const item = fc.constantFrom("a", "b", "a b", "é", "𝒳", "\uFF5E", "n\0ul", "1");
const tag = fc.constantFrom("x", "y", "x ", "ü", "z");
const tags = fc.array(tag, { maxLength: 4 });
const query = fc
  .record({ all: tags, any: tags, not: fc.array(tag, { maxLength: 1 }) })
  .filter(({ all, any }) => all.length + any.length > 0);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom("add" as const, "set" as const, "remove" as const), item, tags }),
  fc.record({ do: fc.constantFrom("drop" as const, "of" as const), item }),
  fc.record({ do: fc.constant("count" as const), tag }),
  fc.record({ do: fc.constant("find" as const), query }),
);

describe.each(backends("standalone", "embedded"))("tags model [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `t${randomBytes(6).toString("hex")}` });
  });
  afterAll(() => hf.close());

  const fresh = (): [Tags, Model] => [hf.tags(randomBytes(6).toString("hex"), { maxItems: MAX_ITEMS }), new Model()];

  it.each(["one after the other", "in the same tick"])("calls %s", async (mode) => {
    const steps = fc.array(step, { maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(steps, query, fc.integer({ min: 1, max: 3 }), async (history, last, limit) => {
        const [index, model] = fresh();
        const merged = mode === "in the same tick";
        const answers = merged ? await Promise.all(history.map((one) => ask(index, one))) : [];
        if (!merged) for (const one of history) answers.push(await ask(index, one));
        expect(answers).toEqual(history.map((one) => model.run(one)));
        expect(await walk(index, last, limit)).toEqual(model.matching(last));
        const counted = [...new Set([...model.items.values()].flatMap((each) => [...each]))];
        const expected = new Map(counted.map((each) => [each, model.run({ do: "count", tag: each })]));
        expect(await index.counts()).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});
