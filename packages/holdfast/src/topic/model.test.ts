/**
 * Topics against a plain model. What could go wrong: a message is missed, repeated, in another place, in another partition or with another
 * envelope; a reader that goes on elsewhere, or a page, shows something else; in any mixture of handles, keys, ids and readers.
 */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { Holdfast } from "../holdfast.ts";
import { partitionOf } from "./partition.ts";
import type { TopicStream } from "./read/stream.ts";
import type { Topic } from "./topic.ts";

type Operation =
  | {
      readonly kind: "publish";
      readonly handle: number;
      readonly keys: readonly (string | undefined)[];
      readonly id: string | undefined;
    }
  | { readonly kind: "read"; readonly handle: number; readonly count: number }
  | { readonly kind: "move"; readonly handle: number }
  | { readonly kind: "page"; readonly handle: number; readonly key: string | undefined; readonly limit: number };

interface Message {
  readonly n: number;
  readonly key: string | undefined;
}

const handle = fc.nat(1);
const key = fc.option(fc.constantFrom("a", "b", "{a}", "%", "a:b"), { nil: undefined });
const operations = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("publish" as const),
      handle,
      keys: fc.array(key, { minLength: 1, maxLength: 5 }),
      id: fc.option(fc.constantFrom("x", "y", "{z}"), { nil: undefined }),
    }),
    fc.record({ kind: fc.constant("read" as const), handle, count: fc.nat(8) }),
    fc.record({ kind: fc.constant("move" as const), handle }),
    fc.record({ kind: fc.constant("page" as const), handle, key, limit: fc.integer({ min: 1, max: 9 }) }),
  ),
  { minLength: 5, maxLength: 30 },
);

class Run {
  readonly #topics: readonly Topic<number>[];
  readonly #partitions: number;
  /** By partition, in order. */
  readonly #log: Message[][];
  readonly #ids = new Map<string, readonly [partition: number, offset: number]>();
  #stream: TopicStream<number>;
  /** What the reader has seen, by partition. */
  readonly #seen: number[];
  #published = 0;
  /** Messages that were read. */
  checked = 0;

  constructor(handles: readonly Holdfast[], partitions: number) {
    const name = randomName();
    this.#partitions = partitions;
    this.#topics = handles.map((hf) => hf.topic<number>(name, { partitions }));
    this.#log = Array.from({ length: partitions }, () => []);
    this.#seen = this.#log.map(() => 0);
    this.#stream = this.#topics[0]!.messages({ from: "start" });
  }

  async apply(operation: Operation): Promise<void> {
    if (operation.kind === "publish") return this.#publish(operation);
    if (operation.kind === "page") return this.#page(operation);
    if (operation.kind === "read") return this.#read(operation.count);
    await this.#stream.ready;
    const { position } = this.#stream;
    await this.#stream.close();
    this.#stream = this.#topics[operation.handle]!.messages({ from: position });
  }

  async end(): Promise<void> {
    await this.#read(Infinity);
    await this.#stream.close();
  }

  async #publish({ handle: at, keys, id }: Operation & { kind: "publish" }): Promise<void> {
    const messages = keys.map((each) => ({ n: (this.#published += 1), key: each }));
    const results = await Promise.all(
      messages.map(({ n, key: own }, place) =>
        this.#topics[at]!.publish(n, {
          ...(own !== undefined && { key: own }),
          ...(place === 0 && id !== undefined && { id }),
        }),
      ),
    );
    for (const [place, result] of results.entries()) {
      assert(result.status !== "full");
      const message = messages[place]!;
      const binding = message.key ?? (place === 0 ? id : undefined);
      if (binding !== undefined) assert.equal(result.partition, partitionOf(binding, this.#partitions));
      const known = place === 0 && id !== undefined ? this.#ids.get(`${result.partition} ${id}`) : undefined;
      assert.equal(result.status, known === undefined ? "ok" : "duplicate");
      if (known === undefined) this.#log[result.partition]!.push(message);
      const offset = known?.[1] ?? this.#log[result.partition]!.length;
      assert.equal(result.offset, offset);
      if (place === 0 && id !== undefined) this.#ids.set(`${result.partition} ${id}`, [result.partition, offset]);
    }
  }

  async #read(count: number): Promise<void> {
    const left = (): number => this.#log.reduce((sum, log, at) => sum + log.length - this.#seen[at]!, 0);
    for (let at = 0; at < count && left() > 0; at += 1) {
      const { value } = await this.#stream.next();
      assert(value !== undefined);
      this.#seen[value.partition]! += 1;
      const expected = this.#log[value.partition]![this.#seen[value.partition]! - 1];
      assert.deepEqual({ n: value.payload, key: value.key }, expected);
      assert.equal(value.offset, this.#seen[value.partition]);
      this.checked += 1;
    }
  }

  async #page({ handle: at, key: only, limit }: Operation & { kind: "page" }): Promise<void> {
    const options = only === undefined ? { limit } : { limit, key: only };
    const { messages } = await this.#topics[at]!.page(options);
    const all = this.#log.flat().filter((each) => only === undefined || each.key === only);
    assert.equal(messages.length, Math.min(limit, all.length));
    if (only === undefined && this.#partitions > 1) return;
    assert.deepEqual(
      messages.map(({ payload }) => payload),
      all.slice(-limit).map(({ n }) => n),
    );
  }
}

describe.each(backends("standalone", "cluster", "embedded"))("topics against a model [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it.each([1, 3])(
    "each message once and in its place, for readers and for pages (partitions: %i)",
    async (partitions) => {
      let checked = 0;
      await fc.assert(
        fc.asyncProperty(operations, async (list) => {
          const run = new Run([handles.a, handles.b], partitions);
          for (const operation of list) await run.apply(operation);
          await run.end();
          checked += run.checked;
        }),
        { numRuns: 12, endOnFailure: true },
      );
      expect(checked).toBeGreaterThan(30);
    },
  );
});
