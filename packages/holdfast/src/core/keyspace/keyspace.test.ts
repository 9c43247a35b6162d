/**
 * What could go wrong, and the test for each:
 * - keys of one script lie in several slots ............... "share a slot"
 * - two users' names or ids become one key ................ "never meet in one key"
 * - two handles' prefixes do ............................... "refuses the prefix"
 * - half a character becomes the same bytes as another ..... "refuses the id", "refuses %j as a text"
 * - a forgotten name becomes the name "undefined" .......... "refuses the name"
 * - our slots are not the server's ......................... "agrees with the server"
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { freePort, startStandalone } from "../../../test/support/servers.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { checkText, Keyspace } from "./keyspace.ts";
import { escapeGlob } from "./scan.ts";
import { slotOf } from "../../driver/slot.ts";

const keys = new Keyspace("hf");

/** Ids as hostile as users choose them: braces, colons, percent signs, emoji. */
const id = fc.oneof(fc.string({ minLength: 1, maxLength: 40 }), fc.stringMatching(/^[{}:%a-b]{1,12}$/));

describe("Keyspace", () => {
  it("a key and its companions share a slot, whatever the id", () => {
    const space = keys.entries("cache", "users");
    fc.assert(
      fc.property(id, (value) => {
        expect(slotOf(space.part(value, "lease"))).toBe(slotOf(space.key(value)));
      }),
    );
  });

  it("all keys of a group share a slot, whatever the name and the parts", () => {
    fc.assert(
      fc.property(id, id, (name, part) => {
        const group = keys.group("board", name);
        expect(slotOf(group.part("meta"))).toBe(slotOf(group.key));
        expect(slotOf(group.part("member", part))).toBe(slotOf(group.key));
      }),
    );
  });

  it("two different ids or names never meet in one key", () => {
    fc.assert(
      fc.property(id, id, id, id, (nameA, idA, nameB, idB) => {
        fc.pre(nameA !== nameB || idA !== idB);
        expect(keys.entries("cache", nameA).key(idA)).not.toBe(keys.entries("cache", nameB).key(idB));
      }),
    );
  });

  it("a long id is refused, or short in its key, where it still begins as it does and meets no other", () => {
    const keys = new Keyspace("p").entries("cache", "n", true);
    for (const begins of ["x".repeat(256), `${"x".repeat(255)}\u{1f600}`]) {
      const [one, other] = ["a", "b"].map((end) => keys.key(begins + "y".repeat(1_024) + end));
      expect(one).not.toBe(other);
      expect(one!.length).toBeLessThan(330);
      expect(one!.startsWith(keys.beginning(begins))).toBe(true);
      expect(Buffer.from(one!).toString()).toBe(one);
    }
    expect(keys.key("x".repeat(1_024))).toHaveLength("p:cache:n:{}".length + 1_024);
    expect(() => keys.key(`${"x".repeat(2_000)}\ud800`)).toThrow(/^id: expected/);
    expect(() => new Keyspace("p").entries("cache", "n").key("x".repeat(1_025))).toThrow(/^id: expected/);
  });

  it("an id is known again from its key", () => {
    fc.assert(
      fc.property(fc.oneof(id, fc.constantFrom("%25", "%7B", "{a}%7D:b", 5)), (given) => {
        const keys = new Keyspace("p").entries("cache", "n:{%");
        expect(keys.idOf(keys.key(given))).toBe(String(given));
      }),
    );
  });

  it.each(["", Number.NaN, "x".repeat(1025), undefined as unknown as string])("refuses the id %j", (bad) => {
    expect(() => keys.entries("cache", "users").key(bad)).toThrow(InvalidArgumentError);
  });

  it.each(["", undefined, null, 5, "x".repeat(1025), "\ud800"])("refuses the name %j, for the noun it names", (bad) => {
    const name = bad as string;
    expect(() => keys.entries("limit", name)).toThrow(/^limiter: name: expected a non-empty, well-formed string/);
    expect(() => keys.group("leaderboard", name)).toThrow(/^leaderboard: name: expected a non-empty/);
    expect(() => keys.group("key", name)).toThrow(/^key: group: expected a non-empty/);
  });

  it.each(["", "a{b", "a b", "%", "hf:cache", ":"])("refuses the prefix %j", (bad) => {
    expect(() => new Keyspace(bad)).toThrow(/prefix/);
  });
});

it.each(["", "\ud800", "a\udfffb", "x".repeat(9), 7 as unknown as string, undefined as unknown as string])(
  "refuses %j as a text that names something",
  (bad) => {
    expect(() => checkText("owner", bad, 8)).toThrow(/^owner: expected a non-empty, well-formed string/);
  },
);

describe("slotOf", () => {
  it("agrees with the server", async () => {
    const config = { "cluster-enabled": "yes", "cluster-port": String(await freePort()) };
    await using server = await startStandalone({ config });
    await fc.assert(
      fc.asyncProperty(id, async (key) => {
        expect(slotOf(key)).toBe(await server.command("CLUSTER", "KEYSLOT", key));
      }),
      { numRuns: 300 },
    );
  });
});

it("escapeGlob makes a pattern match only itself", () => {
  expect(escapeGlob("a*b?[c]\\")).toBe("a\\*b\\?\\[c\\]\\\\");
});
