/**
 * A topic that keeps the newest against a map. What could go wrong: the newest of a key is another, a condition is judged wrongly, a deleted key is
 * there, a follower that is moved to another handle at any place has another map than the state; in any mixture of handles, keys and partitions.
 */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { TopicChange } from "./follow.ts";
import type { LatestTopic } from "./latest-topic.ts";
import type { TopicSetOptions } from "./options.ts";

type Condition = "none" | "new" | "current" | "stale";
type Change = { readonly key: string; readonly isDelete: boolean; readonly condition: Condition };
type Operation =
  | { readonly kind: "change"; readonly handle: number; readonly changes: readonly Change[] }
  | { readonly kind: "follow"; readonly handle: number; readonly count: number }
  | { readonly kind: "trim" }
  | { readonly kind: "get"; readonly handle: number };

const KEYS = ["a", "b", "{a}", "%", "a:b", "\u00e9"];
const STALE = "1.0.1.1";
const handle = fc.nat(1);
const change = fc.record({
  key: fc.constantFrom(...KEYS),
  isDelete: fc.boolean(),
  condition: fc.constantFrom("none" as const, "none" as const, "new" as const, "current" as const, "stale" as const),
});
const operations = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("change" as const),
      handle,
      changes: fc.uniqueArray(change, { minLength: 1, maxLength: 5, selector: ({ key }) => key }),
    }),
    fc.record({ kind: fc.constant("follow" as const), handle, count: fc.nat(6) }),
    fc.record({ kind: fc.constant("trim" as const) }),
    fc.record({ kind: fc.constant("get" as const), handle }),
  ),
  { minLength: 5, maxLength: 30 },
);

class Run {
  readonly #topics: readonly LatestTopic<number>[];
  readonly #trim: (partition: number) => Promise<unknown>;
  readonly #partitions: number;
  readonly #state = new Map<string, { readonly value: number; readonly position: string }>();
  readonly #map = new Map<string, number>();
  #position: string | undefined;
  #next = 0;

  constructor(handles: readonly Holdfast[], partitions: number, trim: (name: string, at: number) => Promise<unknown>) {
    const name = randomName();
    this.#topics = handles.map((hf) => hf.topic<number>(name, { partitions, latest: true }));
    this.#partitions = partitions;
    this.#trim = (at) => trim(name, at);
  }

  async apply(operation: Operation): Promise<void> {
    if (operation.kind === "change") await this.#change(operation.handle, operation.changes);
    else if (operation.kind === "follow") await this.#follow(operation.handle, operation.count);
    else if (operation.kind === "trim") for (let at = 0; at < this.#partitions; at += 1) await this.#trim(at);
    else await this.#get(operation.handle);
  }

  /** All of it is seen: then the map is the state. */
  async end(): Promise<number> {
    await this.#get(0);
    // After what is set last in each partition nothing comes.
    const last = Array.from({ length: 8 * this.#partitions }, (_, at) => `end${at}`);
    await Promise.all(last.map((key) => this.#topics[0]!.set(key, 0)));
    for await (const each of this.#topics[1]!.follow(this.#from)) {
      this.#see(each);
      if (last.every((key) => this.#map.has(key))) break;
    }
    for (const key of last) this.#map.delete(key);
    const state = new Map([...this.#state].map(([key, { value }]) => [key, value]));
    assert.deepEqual(this.#map, state);
    return state.size;
  }

  async #change(at: number, changes: readonly Change[]): Promise<void> {
    const topic = this.#topics[at]!;
    await Promise.all(
      changes.map(async ({ key, isDelete, condition }) => {
        const before = this.#state.get(key);
        const value = (this.#next += 1);
        const position = condition === "stale" ? STALE : (before?.position ?? STALE);
        let options: TopicSetOptions = {};
        if (condition === "current" || condition === "stale") options = { ifPosition: position };
        const isNew = condition === "new" && !isDelete;
        if (isNew) options = { ifNew: true };
        const isMet = isNew ? before === undefined : options.ifPosition === undefined || position === before?.position;
        const result = isDelete ? await topic.delete(key, options) : await topic.set(key, value, options);
        if (!isMet) return assert.equal(result.status, "conflict");
        if (isDelete && before === undefined) return assert.equal(result.status, "missing");
        assert(result.status === "ok");
        if (isDelete) this.#state.delete(key);
        else this.#state.set(key, { value, position: result.position });
      }),
    );
  }

  async #get(at: number): Promise<void> {
    const found = await this.#topics[at]!.getMany(KEYS);
    const shown = KEYS.map((key) => found.get(key)?.payload);
    assert.deepEqual(
      shown,
      KEYS.map((key) => this.#state.get(key)?.value),
    );
    assert.equal(await this.#topics[at]!.count(), this.#state.size);
  }

  async #follow(at: number, count: number): Promise<void> {
    let left = count;
    if (left === 0) return;
    for await (const each of this.#topics[at]!.follow(this.#from)) {
      this.#see(each);
      left -= 1;
      // What comes behind `live` may never come.
      if (left === 0 || each.type === "live") break;
    }
  }

  get #from(): { readonly from?: string } {
    return this.#position === undefined ? {} : { from: this.#position };
  }

  #see(each: TopicChange<number>): void {
    this.#position = each.position;
    assert.notEqual(each.type, "reset");
    if (each.type === "set") {
      assert((this.#map.get(each.key) ?? -1) < each.value || each.key.startsWith("end"));
      this.#map.set(each.key, each.value);
    }
    if (each.type === "delete") this.#map.delete(each.key);
  }
}

describe.each(backends("standalone", "cluster", "embedded"))(
  "the newest of each key against a model [$name]",
  (backend) => {
    const handles = new TwoHandles(backend);
    const trim = (name: string, at: number): Promise<unknown> =>
      handles.send("XTRIM", `${handles.prefix}:topic:{${name}${at === 0 ? "" : `%p${at}`}}:log`, "MAXLEN", "0");

    it.each([1, 3])("a map, for whoever asks and whoever follows (partitions: %i)", async (partitions) => {
      let checked = 0;
      await fc.assert(
        fc.asyncProperty(operations, async (list) => {
          const run = new Run([handles.a, handles.b], partitions, trim);
          for (const operation of list) await run.apply(operation);
          checked += await run.end();
        }),
        { numRuns: 40, endOnFailure: true },
      );
      expect(checked).toBeGreaterThan(5);
    });
  },
);
