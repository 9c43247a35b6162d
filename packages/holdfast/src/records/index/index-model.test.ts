// What could go wrong, and the test for each:
// - an operation, a page or a count is something else than the model's, on either of two handles .. "any sequence of operations"
// - two records have one unique value, or a free one is refused ................................... the same
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { Records } from "../records.ts";
import { byBytes, valueKey, valueKeys } from "./entry.ts";

interface Doc {
  u?: string | undefined;
  n?: unknown;
  t?: unknown;
}

const ID = fc.constantFrom("a", "b", "c", "d", "e");
const UNIQUE = fc.constantFrom("1", "2", "3", "4");
const SCALAR = fc.constantFrom<unknown>(0, -1, 2.5, 1e300, "", "x", "xy", "z\0", true, false, null);
const FIELD = fc.oneof(SCALAR, fc.array(SCALAR, { maxLength: 3 }), fc.constant({ no: "index" }));
const DOC = fc.record({ u: UNIQUE, n: FIELD, t: FIELD }, { requiredKeys: [] });
const PATCH = fc.record(
  { u: fc.option(UNIQUE, { nil: undefined }), n: fc.option(FIELD, { nil: undefined }), t: FIELD },
  { requiredKeys: [] },
);
const WHERE = fc.oneof(
  SCALAR,
  fc.record({ gte: fc.constantFrom<unknown>(0, "x", false) }),
  fc.record({ lt: fc.constantFrom<unknown>(2, "xz") }),
  fc.record({ in: fc.array(SCALAR, { maxLength: 3 }) }),
  fc.record({ prefix: fc.constantFrom("", "x") }),
);
const OPERATION = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("set" as const), id: ID, doc: DOC }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("patch" as const), id: ID, doc: PATCH }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("update" as const), id: ID, doc: DOC }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), id: ID }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("getBy" as const), u: UNIQUE }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("find" as const),
      where: fc.record({ n: WHERE, t: WHERE }, { requiredKeys: [] }),
      sort: fc.constantFrom(undefined, "n" as const, "t" as const),
      order: fc.constantFrom("asc" as const, "desc" as const),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
);

type Operation = typeof OPERATION extends fc.Arbitrary<infer T> ? T : never;
type Model = Map<string, Doc>;

function fits(value: unknown, where: unknown): Buffer[] {
  const keys = valueKeys("f", value).toSorted(byBytes);
  const compare = (key: Buffer, other: unknown): number | undefined =>
    key[0] === valueKey(other)![0] ? Buffer.compare(key, valueKey(other)!) : undefined;
  if (typeof where !== "object" || where === null) return keys.filter((key) => compare(key, where) === 0);
  const { gte, lt, in: values, prefix } = where as { gte?: unknown; lt?: unknown; in?: unknown[]; prefix?: string };
  if (gte !== undefined) return keys.filter((key) => (compare(key, gte) ?? -1) >= 0);
  if (lt !== undefined) return keys.filter((key) => (compare(key, lt) ?? 0) < 0);
  if (values !== undefined) return keys.filter((key) => values.some((each) => compare(key, each) === 0));
  return keys.filter((key) => key.toString().startsWith(`s${prefix}`));
}

/** What is found, and in whose order; undefined where no order is promised. */
function expected(model: Model, { where, sort, order }: Extract<Operation, { kind: "find" }>): string[] {
  const hits = [...model].filter(([, doc]) =>
    Object.entries(where).every(([field, each]) => fits(doc[field as "n"], each).length > 0),
  );
  if (sort === undefined) return hits.map(([id]) => id).toSorted();
  const given = (where as Record<string, unknown>)[sort];
  const placed = hits.flatMap(([id, doc]) => {
    const keys = given === undefined ? valueKeys("f", doc[sort]).toSorted(byBytes) : fits(doc[sort], given);
    const key = order === "asc" ? keys[0] : keys.at(-1);
    return key === undefined ? [] : [{ id, key }];
  });
  const sign = order === "asc" ? 1 : -1;
  return placed.toSorted((a, b) => sign * (Buffer.compare(a.key, b.key) || (a.id < b.id ? -1 : 1))).map(({ id }) => id);
}

async function find(records: Records<Doc>, operation: Extract<Operation, { kind: "find" }>): Promise<string[]> {
  const { where, sort, order, limit } = operation;
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await records.find(where as never, { order, limit, ...(sort && { sort }), ...(cursor && { cursor }) });
    assert.ok(page.complete);
    ids.push(...page.records.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return sort === undefined ? ids.toSorted() : ids;
}

async function apply(model: Model, records: Records<Doc>, operation: Operation): Promise<void> {
  if (operation.kind === "find") {
    const { where } = operation;
    if (Object.keys(where).length === 0 && operation.sort === undefined) return;
    assert.deepEqual(await find(records, operation), expected(model, operation));
    if (Object.keys(where).length === 0) return;
    const all = expected(model, { ...operation, sort: undefined });
    assert.equal(await records.count(where as never, { exact: true }), all.length);
    return;
  }
  if (operation.kind === "getBy") {
    const holder = [...model].find(([, { u }]) => u === operation.u);
    assert.equal((await records.getBy("u", operation.u))?.id, holder?.[0]);
    return;
  }
  const { id } = operation;
  if (operation.kind === "delete") {
    assert.equal(await records.delete(id), model.delete(id));
    return;
  }
  const before = model.get(id);
  const next = operation.kind === "set" ? operation.doc : { ...before, ...operation.doc };
  const answer =
    operation.kind === "set"
      ? await records.set(id, operation.doc)
      : operation.kind === "patch"
        ? await records.patch(id, operation.doc)
        : await records.update(id, (doc) => ({ ...doc, ...operation.doc }), { initial: {} });
  if (operation.kind === "patch" && before === undefined) {
    assert.deepEqual(answer, { status: "missing" });
    return;
  }
  const isTaken = next.u !== undefined && [...model].some(([other, { u }]) => other !== id && u === next.u);
  assert.equal(answer.status, isTaken ? "conflict" : "ok");
  if (answer.status === "conflict") assert.equal(answer.field, "u");
  if (!isTaken) model.set(id, next);
}

describe.each(backends("standalone", "cluster", "embedded"))("indexes against a model [$name]", ({ url, options }) => {
  let handles: Holdfast[] = [];

  beforeAll(async () => {
    const given = { ...options, prefix: `test-${randomUUID()}`, timeout: "60s" } as const;
    handles = await Promise.all([connect(url, given), connect(url, given)]);
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));

  it("any sequence of operations returns what the model returns", async () => {
    const property = fc.assert(
      fc.asyncProperty(fc.array(OPERATION, { minLength: 10, maxLength: 40 }), async (operations) => {
        const name = randomUUID();
        const settings = { unique: ["u"], index: ["n", "t"], partitions: 3, ttl: "1h" } as const;
        const [here, there] = handles.map((handle) => handle.records<Doc>(name, settings));
        const model: Model = new Map();
        for (const [at, operation] of operations.entries())
          await apply(model, at % 2 === 0 ? here! : there!, operation);
      }),
      { numRuns: 15 },
    );
    await expect(property).resolves.toBeUndefined();
  });
});
