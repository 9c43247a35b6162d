// What could go wrong, and the test for each:
// - an operation returns or stores something else than it promises, on either of two handles .. "any sequence of operations"
// - an id opens what it should not, after whatever rotations and ends ......................... the same: `check`
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Sessions } from "./sessions.ts";

const LIMIT = 3;
const USERS = ["ada", "bob"] as const;

type Data = Record<string, unknown>;

interface Live {
  readonly state: "live";
  readonly user: string | undefined;
  data: Data;
  version: number;
}

/** What an id that was ever given out stands for; `to` is the place of its successor. */
type Entry = Live | { readonly state: "alias" | "heir"; readonly to: number } | { readonly state: "dead" };

class Model {
  readonly entries: Entry[] = [];

  active(user: string): number {
    return this.entries.filter((entry) => entry.state === "live" && entry.user === user).length;
  }

  full(user: string | undefined): user is string {
    return user !== undefined && this.active(user) >= LIMIT;
  }

  /** The place of the live session that an id opens: its own, or one hop on. */
  open(at: number): number | undefined {
    const entry = this.entries[at]!;
    const place = entry.state === "alias" ? entry.to : at;
    return this.entries[place]!.state === "live" ? place : undefined;
  }

  live(at: number): Live | undefined {
    const place = this.open(at);
    return place === undefined ? undefined : (this.entries[place] as Live);
  }

  /** Where a sign-out ends up: the last of the chain. */
  last(at: number): number {
    const entry = this.entries[at]!;
    return "to" in entry ? this.last(entry.to) : at;
  }
}

type Operation =
  | { readonly kind: "create"; readonly user: string | undefined; readonly data: Data }
  | { readonly kind: "get" | "destroy"; readonly at: number }
  | { readonly kind: "patch"; readonly at: number; readonly patch: Data; readonly version: number | undefined }
  | { readonly kind: "update"; readonly at: number; readonly fields: Data; readonly initial: Data | undefined }
  | { readonly kind: "rotate"; readonly at: number; readonly user: string | undefined }
  | { readonly kind: "revokeAll"; readonly user: string };

const user = fc.constantFrom(undefined, ...USERS);
const at = fc.nat(30);
const value = fc.constantFrom<unknown>(1, "x", null, [true], undefined);
const data = fc.dictionary(fc.constantFrom("a", "b", "__proto__"), value, { noNullPrototype: true });
const operations = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("create"), user, data }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("get", "destroy"), at }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("patch"),
        at,
        patch: data,
        version: fc.constantFrom(undefined, undefined, 1, 2),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("update"),
        at,
        fields: data,
        initial: fc.option(data, { nil: undefined }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("rotate"), at, user }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("revokeAll"), user: fc.constantFrom(...USERS) }) },
  ),
  { minLength: 5, maxLength: 40 },
);

/** Runs one operation on both and compares the answers. */
class Run {
  readonly model = new Model();
  readonly ids: string[] = [];
  readonly #handles: readonly Sessions<Data>[];
  #turn = 0;

  constructor(handles: readonly Sessions<Data>[]) {
    this.#handles = handles;
  }

  get sessions(): Sessions<Data> {
    this.#turn += 1;
    return this.#handles[this.#turn % this.#handles.length]!;
  }

  async apply(operation: Operation): Promise<void> {
    if (operation.kind === "create") return this.#create(operation.user, operation.data);
    if (operation.kind === "revokeAll") return this.#revokeAll(operation.user);
    if (this.ids.length === 0) return;
    const place = operation.at % this.ids.length;
    switch (operation.kind) {
      case "get":
        return this.#get(place);
      case "destroy":
        return this.#destroy(place);
      case "patch":
        return this.#patch(place, operation.patch, operation.version);
      case "update":
        return this.#update(place, operation.fields, operation.initial);
      case "rotate":
        return this.#rotate(place, operation.user);
    }
  }

  /** Asks for every id that was ever given out, and returns how many sessions each user's list has. */
  async check(): Promise<number[]> {
    for (const place of this.ids.keys()) await this.#get(place);
    const lists = await Promise.all(USERS.map((name) => this.sessions.list(name)));
    return lists.map((list) => list.length);
  }

  async #create(owner: string | undefined, fields: Data): Promise<void> {
    const full = this.model.full(owner);
    const answer = await this.sessions.create({ data: fields, ...(owner === undefined ? {} : { user: owner }) });
    assert.equal(answer.status, full ? "limit" : "ok");
    if (answer.status !== "ok") return;
    this.ids.push(answer.id);
    this.model.entries.push({ state: "live", user: owner, data: defined(fields), version: 1 });
  }

  async #get(place: number): Promise<void> {
    const live = this.model.live(place);
    const session = await this.sessions.get(this.ids[place]!);
    const got = session && { state: "live", user: session.user, data: session.data, version: session.version };
    assert.deepEqual(got, live);
  }

  async #patch(place: number, fields: Data, version: number | undefined): Promise<void> {
    const live = this.model.live(place);
    const answer = await this.sessions.patch(this.ids[place]!, fields, version === undefined ? {} : { version });
    if (live === undefined) return assert.deepEqual(answer, { status: "revoked" });
    if (version !== undefined && version !== live.version) {
      return assert.deepEqual(answer, { status: "conflict", version: live.version });
    }
    live.data = merged(live.data, fields);
    live.version += 1;
    assert.deepEqual(answer, { status: "ok", version: live.version });
  }

  async #update(place: number, fields: Data, initial: Data | undefined): Promise<void> {
    const live = this.model.live(place);
    const change = (before: Data): Data => merged(before, fields);
    const answer = await this.sessions.update(this.ids[place]!, change, { initial });
    if (live === undefined) return assert.deepEqual(answer, { status: "revoked" });
    live.data = merged(merged(defined(initial ?? {}), live.data), fields);
    live.version += 1;
    assert.deepEqual(answer, { status: "ok", data: live.data, version: live.version });
  }

  async #rotate(place: number, owner: string | undefined): Promise<void> {
    const entry = this.model.entries[place]!;
    const answer = await this.sessions.rotate(this.ids[place]!, owner === undefined ? {} : { user: owner });
    if (entry.state !== "live") return assert.deepEqual(answer, { status: "missing" });
    const moves = owner !== undefined && owner !== entry.user;
    if (moves && this.model.full(owner)) return assert.deepEqual(answer, { status: "limit", active: LIMIT });
    if (answer.status !== "ok") return assert.fail(answer.status);
    this.model.entries[place] = { state: moves ? "heir" : "alias", to: this.ids.length };
    this.ids.push(answer.id);
    this.model.entries.push(moves ? { ...entry, user: owner, version: 1 } : entry);
  }

  async #destroy(place: number): Promise<void> {
    const last = this.model.last(place);
    const alive = this.model.entries[last]!.state === "live";
    assert.equal(await this.sessions.destroy(this.ids[place]!), alive);
    this.model.entries[last] = { state: "dead" };
  }

  async #revokeAll(name: string): Promise<void> {
    assert.equal(await this.sessions.revokeAll(name), this.model.active(name));
    for (const [place, entry] of this.model.entries.entries()) {
      if (entry.state === "live" && entry.user === name) this.model.entries[place] = { state: "dead" };
    }
  }
}

/** Not by spreading into a literal: `__proto__` is a field. */
function merged(below: Data, above: Data): Data {
  return defined(Object.fromEntries([...Object.entries(below), ...Object.entries(above)]));
}

function defined(fields: Data): Data {
  return Object.fromEntries(Object.entries(fields).filter(([, each]) => each !== undefined));
}

describe.each(backends("standalone", "embedded"))("sessions against a model [$name]", ({ url, options }) => {
  let handles: Holdfast[];

  beforeAll(async () => {
    const prefix = `test-${randomUUID()}`;
    handles = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });

  afterAll(async () => {
    await Promise.all((handles ?? []).map((handle) => handle.close()));
  });

  it("any sequence of operations returns what the model returns", async () => {
    await fc.assert(
      fc.asyncProperty(operations, async (sequence) => {
        const name = randomUUID();
        const settings = { maxPerUser: LIMIT, onLimit: "reject", rotationGrace: "1h" } as const;
        const run = new Run(handles.map((handle) => handle.sessions<Data>(name, settings)));
        for (const operation of sequence) await run.apply(operation);
        expect(await run.check()).toEqual(USERS.map((name) => run.model.active(name)));
      }),
      { numRuns: 40 },
    );
  });
});
