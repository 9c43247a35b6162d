/**
 * Channels against a plain model. What could go wrong: a subscription hears another's messages, misses one, hears one twice
 * or in another order, or still hears after its end; in any mixture of names, patterns and sharded channels.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Inbox } from "../../test/conformance/support.ts";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { escapeGlob } from "../core/keyspace/scan.ts";
import type { ChannelSubscription } from "./dispatcher.ts";

type Operation =
  | {
      readonly kind: "subscribe";
      readonly handle: number;
      readonly to: "exact" | "sharded" | "below";
      readonly name: string;
    }
  | { readonly kind: "close"; readonly at: number }
  | { readonly kind: "publish"; readonly handle: number; readonly name: string; readonly sharded: boolean };

interface Listener {
  readonly hears: (name: string, sharded: boolean) => boolean;
  readonly subscription: ChannelSubscription;
  readonly got: Inbox<string>;
  readonly expected: string[];
}

// Few and short names of characters that mean something in patterns and tags, so that they meet and mislead each other.
const name = fc.constantFrom("a", "*", "a*", "?", "[a]", "[", "\\", "\\*", "{a}", "}", ":", "a:*");
const handle = fc.nat(1);
const operations = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("subscribe" as const),
      handle,
      to: fc.constantFrom("exact" as const, "sharded" as const, "below" as const),
      name,
    }),
    fc.record({ kind: fc.constant("close" as const), at: fc.nat(20) }),
    fc.record({ kind: fc.constant("publish" as const), handle, name, sharded: fc.boolean() }),
  ),
  { minLength: 5, maxLength: 30 },
);

class Run {
  readonly #handles: readonly Holdfast[];
  readonly #head = `${randomUUID()}/`;
  readonly #listeners: Listener[] = [];
  #sent = 0;
  /** Messages that were sent to somebody and have arrived. */
  checked = 0;

  constructor(handles: readonly Holdfast[]) {
    this.#handles = handles;
  }

  async apply(operation: Operation): Promise<void> {
    if (operation.kind === "subscribe") return this.#subscribe(operation);
    if (operation.kind === "publish") return this.#publish(operation);
    const [listener] = this.#listeners.splice(operation.at % Math.max(this.#listeners.length, 1), 1);
    if (listener !== undefined) await this.#end(listener);
  }

  async end(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => this.#end(listener)));
  }

  async #subscribe({ handle: at, to, name: local }: Operation & { kind: "subscribe" }): Promise<void> {
    const hf = this.#handles[at]!;
    const full = this.#head + local;
    const got = new Inbox<string>();
    const handler = (message: string, { channel }: { channel: string }): void => got.put(`${channel} ${message}`);
    const subscription = await (to === "below"
      ? hf.channels<string>(`${escapeGlob(full)}*`).subscribe(handler)
      : hf.channel<string>(full, { sharded: to === "sharded" }).subscribe(handler));
    const hears = (other: string, sharded: boolean): boolean =>
      to === "below" ? !sharded && other.startsWith(local) : other === local && sharded === (to === "sharded");
    this.#listeners.push({ hears, subscription, got, expected: [] });
  }

  async #publish({ handle: at, name: local, sharded }: Operation & { kind: "publish" }): Promise<void> {
    const message = String((this.#sent += 1));
    const full = this.#head + local;
    await this.#handles[at]!.channel<string>(full, { sharded }).publish(message);
    for (const { hears, expected, got } of this.#listeners) {
      if (!hears(local, sharded)) continue;
      expected.push(`${full} ${message}`);
      // What is still on its way would also reach who joins the same subscription meanwhile.
      await got.find(() => got.all.length >= expected.length);
    }
  }

  async #end({ subscription, got, expected }: Listener): Promise<void> {
    await subscription.close();
    assert.deepEqual(got.all, expected);
    this.checked += expected.length;
  }
}

describe.each(backends("standalone", "embedded"))("channels against a model [$name]", ({ url, options }) => {
  let handles: Holdfast[];

  beforeAll(async () => {
    const prefix = `test-${randomUUID()}[*]`;
    handles = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });
  afterAll(() => Promise.all(handles.map((each) => each.close())));

  it("any sequence of subscriptions and messages", async () => {
    let checked = 0;
    await fc.assert(
      fc.asyncProperty(operations, async (sequence) => {
        const run = new Run(handles);
        for (const operation of sequence) await run.apply(operation);
        await run.end();
        checked += run.checked;
      }),
      { numRuns: 40 },
    );
    expect(checked).toBeGreaterThan(0);
  });
});
