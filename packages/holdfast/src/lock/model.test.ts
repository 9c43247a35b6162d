/**
 * Random histories of locks against a plain model: owner-aware, fenced, re-entrant. Time plays no part here (no ttl
 * ends); what does with it is in lease/timed-lease.test.ts and faults.test.ts. fast-check prints the seed of a failure.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { HeldLock } from "./held-lock.ts";

interface Modelled {
  readonly owner: string;
  readonly fence: number;
  readonly holds: Set<HeldLock>;
}

interface Hold {
  readonly name: string;
  readonly lock: HeldLock;
  /** The loss that its holder has heard of. */
  lost: string | undefined;
  /** What its release has returned, or must. */
  ended: string | undefined;
}

type Step =
  | { do: "take"; name: string; handle: 0 | 1; owner: string | undefined }
  | { do: "release"; nth: number }
  | { do: "extend"; nth: number }
  | { do: "inspect"; name: string }
  | { do: "delete"; name: string };

const NAME = fc.constantFrom("a", "b");
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("take" as const),
      name: NAME,
      handle: fc.constantFrom(0 as const, 1 as const),
      owner: fc.constantFrom(undefined, "x", "y"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("release" as const), nth: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("extend" as const), nth: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("inspect" as const), name: NAME }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), name: NAME }) },
);

/** Runs one history on the server and the model side by side. */
class History {
  readonly #prefix: string;
  readonly #handles: readonly Holdfast[];
  readonly #run: string = randomUUID();
  readonly #locks = new Map<string, Modelled>();
  readonly #lastFence = new Map<string, number>();
  readonly #holds: Hold[] = [];

  constructor(prefix: string, handles: readonly Holdfast[]) {
    this.#prefix = prefix;
    this.#handles = handles;
  }

  async play(step: Step): Promise<void> {
    if (step.do === "take") return this.#take(this.#handles[step.handle]!, this.#full(step.name), step.owner);
    if (step.do === "inspect") return this.#inspect(this.#full(step.name));
    if (step.do === "delete") return this.#delete(this.#full(step.name));
    const hold = this.#holds.at(step.nth % Math.max(this.#holds.length, 1));
    if (hold === undefined) return undefined;
    return step.do === "release" ? this.#release(hold) : this.#extend(hold);
  }

  async end(): Promise<void> {
    for (const hold of this.#holds) await this.#release(hold);
    for (const name of this.#lastFence.keys()) assert.equal(await this.#handles[0]!.lock(name).info(), undefined);
  }

  #full(name: string): string {
    return `${name}-${this.#run}`;
  }

  async #take(handle: Holdfast, name: string, owner: string | undefined): Promise<void> {
    const result = await handle.lock(name, { ttl: "1h", ...(owner === undefined ? {} : { owner }) }).tryAcquire();
    const current = this.#locks.get(name);
    if (current !== undefined && current.owner !== owner) {
      assert.equal(result.status, "busy");
      return;
    }
    if (result.status === "busy") throw new Error(`${name} is busy for its own owner, or though it is free`);
    const { lock } = result;
    this.#holds.push({ name, lock, lost: undefined, ended: undefined });
    if (current !== undefined) {
      assert.equal(lock.fence, current.fence);
      current.holds.add(lock);
      return;
    }
    assert.ok(lock.fence > (this.#lastFence.get(name) ?? 0));
    this.#lastFence.set(name, lock.fence);
    this.#locks.set(name, { owner: lock.owner, fence: lock.fence, holds: new Set([lock]) });
  }

  async #release(hold: Hold): Promise<void> {
    hold.ended ??= this.#fate(hold);
    assert.deepEqual(await hold.lock.release(), { status: hold.ended });
    const current = this.#locks.get(hold.name);
    if (current?.holds.delete(hold.lock) === true && current.holds.size === 0) this.#locks.delete(hold.name);
    assert.equal(hold.lock.held, false);
  }

  async #extend(hold: Hold): Promise<void> {
    const { status } = await hold.lock.extend("1h");
    if (hold.ended !== undefined) {
      assert.notEqual(status, "ok");
      return;
    }
    const fate = hold.lost ?? this.#fate(hold);
    assert.equal(status, fate);
    if (fate !== "ok") hold.lost = fate;
    // Whoever knows that another has it does not ask again.
    if (fate === "stolen") hold.ended = fate;
  }

  async #inspect(name: string): Promise<void> {
    const info = await this.#handles[1]!.lock(name).info();
    const current = this.#locks.get(name);
    const seen = info && { owner: info.owner, fence: info.fence, waiters: info.waiters };
    assert.deepEqual(seen, current && { owner: current.owner, fence: current.fence, waiters: 0 });
  }

  async #delete(name: string): Promise<void> {
    // No scan for it: the server is full of other tests' keys.
    const key = `${this.#prefix}:lock:{${name}}`;
    await this.#handles[0]!.driver.send(["DEL", key, `${key}:fence`], { op: "test", class: "idempotent" }, key);
    this.#locks.delete(name);
  }

  #fate(hold: Hold): string {
    const current = this.#locks.get(hold.name);
    if (current?.holds.has(hold.lock) === true) return "ok";
    return current === undefined || current.owner === hold.lock.owner ? "expired" : "stolen";
  }
}

describe.each(backends("standalone", "embedded"))("locks against a model [$name]", ({ url, options }) => {
  let handles: Holdfast[];

  const prefix = `test-${randomUUID()}`;

  beforeAll(async () => {
    handles = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });

  afterAll(async () => {
    await Promise.all(handles.map((handle) => handle.close()));
  });

  it("agrees with the model in any history", async () => {
    const property = fc.asyncProperty(fc.array(STEP, { minLength: 10, maxLength: 80, size: "max" }), async (steps) => {
      const history = new History(prefix, handles);
      for (const step of steps) await history.play(step);
      await history.end();
    });
    await expect(fc.assert(property, { numRuns: 40 })).resolves.toBeUndefined();
  });
});
