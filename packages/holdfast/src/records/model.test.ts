// What could go wrong, and the test for each:
// - an operation returns or stores something else than it promises, on either of two handles .. "any sequence of operations"
// - a version of an id comes twice ............................................................ the same
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { HoldfastError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Records } from "./records.ts";
import { sumOf } from "./sum.ts";

type Fields = Record<string, unknown>;

const ID = fc.constantFrom("a", "b", "c");
const FIELD = fc.constantFrom("n", "m", "__proto__");
const NUMBER = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(2 ** 53 - 1));
const VALUE = fc.oneof(
  { weight: 3, arbitrary: NUMBER },
  { weight: 1, arbitrary: fc.constantFrom<unknown>("x", "7", "", null, [1], { a: "b" }, true) },
);
const FIELDS = fc.dictionary(FIELD, VALUE, { noNullPrototype: true });
const PATCH = fc.dictionary(FIELD, fc.option(VALUE, { nil: undefined }), { noNullPrototype: true });
/** Writes over this many versions before the present one; undefined over any, null over none. */
const BEHIND = fc.constantFrom(undefined, undefined, 0, 1, null);

const OPERATION = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), id: ID, fields: FIELDS, behind: BEHIND }),
  fc.record({ kind: fc.constant("patch" as const), id: ID, fields: PATCH, behind: fc.constantFrom(undefined, 0, 1) }),
  fc.record({ kind: fc.constant("increment" as const), id: ID, field: FIELD, by: NUMBER }),
  fc.record({ kind: fc.constant("update" as const), id: ID, fields: FIELDS, initial: fc.option(FIELDS) }),
  fc.record({ kind: fc.constant("delete" as const), id: ID }),
  fc.record({ kind: fc.constant("get" as const), id: ID, fields: fc.option(fc.uniqueArray(FIELD, { minLength: 1 })) }),
);

type Operation = typeof OPERATION extends fc.Arbitrary<infer T> ? T : never;

interface Entry {
  readonly fields: Fields;
  readonly version: number;
}

/** Versions begin where the server says, so the first of each life is taken from its answer. */
class Model {
  readonly #entries = new Map<string, Entry>();
  /** The highest version that each id ever had. */
  readonly #highest = new Map<string, number>();

  entries(): [string, Entry][] {
    return [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  write(id: string, fields: Fields, answered: number): number {
    const before = this.#entries.get(id);
    const version = before === undefined ? answered : before.version + 1;
    assert.ok(version > (this.#highest.get(id) ?? 0));
    this.#highest.set(id, version);
    this.#entries.set(id, { fields: defined(fields), version });
    return version;
  }

  delete(id: string): boolean {
    return this.#entries.delete(id);
  }
}

async function apply(model: Model, records: Records<Fields>, operation: Operation): Promise<void> {
  const { id } = operation;
  const entry = model.get(id);
  switch (operation.kind) {
    case "set": {
      const expected = versionOf(entry, operation.behind);
      const answer = await records.set(id, operation.fields, expected === undefined ? {} : { version: expected });
      const fits = expected === undefined || expected === (entry?.version ?? 0);
      const version = fits ? model.write(id, operation.fields, answer.version) : (entry?.version ?? 0);
      return assert.deepEqual(answer, { status: fits ? "ok" : "conflict", version });
    }
    case "patch": {
      const expected = entry === undefined ? undefined : versionOf(entry, operation.behind);
      const answer = await records.patch(id, operation.fields, expected === undefined ? {} : { version: expected });
      if (entry === undefined) return assert.deepEqual(answer, { status: "missing" });
      const fits = expected === undefined || expected === entry.version;
      const version = fits ? model.write(id, merged(entry.fields, operation.fields), 0) : entry.version;
      return assert.deepEqual(answer, { status: fits ? "ok" : "conflict", version });
    }
    case "increment":
      return increment(model, records, operation);
    case "update": {
      const { fields, initial } = operation;
      const change = (before: Fields): Fields => merged(before, fields);
      const answer = await records.update(id, change, initial === null ? {} : { initial });
      const before = entry?.fields ?? initial;
      if (before === null) return assert.deepEqual(answer, { status: "missing" });
      if (answer.status !== "ok") return assert.fail(answer.status);
      const value = merged(before, fields);
      return assert.deepEqual(answer, { status: "ok", value, version: model.write(id, value, answer.version) });
    }
    case "delete":
      return assert.equal(await records.delete(id), model.delete(id));
    case "get":
      return compare(
        entry,
        await (operation.fields === null ? records.get(id) : records.get(id, operation.fields)),
        operation.fields,
      );
  }
}

async function increment(
  model: Model,
  records: Records<Fields>,
  { id, field, by }: Extract<Operation, { kind: "increment" }>,
): Promise<void> {
  const entry = model.get(id);
  const answer: unknown = await records.increment(id, field as never, by).catch((error: unknown) => error);
  if (entry === undefined) return assert.deepEqual(answer, { status: "missing" });
  const own = Object.hasOwn(entry.fields, field) ? entry.fields[field] : undefined;
  let value: number;
  try {
    value = sumOf(id, field, own, by);
  } catch (expected) {
    return assert.equal((answer as HoldfastError).message, (expected as HoldfastError).message);
  }
  const version = model.write(id, merged(entry.fields, Object.fromEntries([[field, value]])), 0);
  assert.deepEqual(answer, { status: "ok", value, version });
}

function compare(entry: Entry | undefined, found: unknown, fields: string[] | null): void {
  if (entry === undefined) return assert.equal(found, undefined);
  const value = Object.fromEntries(Object.entries(entry.fields).filter(([name]) => fields?.includes(name) ?? true));
  assert.deepEqual(found, { value, version: entry.version });
}

function versionOf(entry: Entry | undefined, behind: number | null | undefined): number | undefined {
  if (behind === undefined) return undefined;
  return behind === null || entry === undefined ? 0 : entry.version - behind;
}

/** Not by spreading into a literal: `__proto__` is a field. */
function merged(below: Fields, above: Fields): Fields {
  return defined(Object.fromEntries([...Object.entries(below), ...Object.entries(above)]));
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

describe.each(backends("standalone", "embedded"))("record against a model [$name]", ({ url, options }) => {
  let handles: Holdfast[] = [];

  beforeAll(async () => {
    const prefix = `test-${randomUUID()}`;
    handles = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });
  afterAll(async () => {
    await Promise.all(handles.map((handle) => handle.close()));
  });

  it("any sequence of operations returns what the model returns", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(OPERATION, { minLength: 5, maxLength: 40 }), async (operations) => {
        const name = randomUUID();
        const [here, there] = handles.map((handle) => handle.records<Fields>(name));
        const model = new Model();
        for (const [at, operation] of operations.entries())
          await apply(model, at % 2 === 0 ? here! : there!, operation);
        const found = await here!.getMany(["a", "b", "c"]);
        expect([...found].map(([id, { value, version }]) => [id, { fields: value, version }])).toEqual(model.entries());
      }),
      { numRuns: 60 },
    );
  });
});
