/**
 * What could go wrong, and the test for each:
 * - a process does not hear of a change ......................... "reach every process"
 * - two who change one flag undo each other ..................... "only over the version", "one of two"
 * - more and more flags ......................................... "no more than maxFlags"
 * - nobody knows who did it ..................................... "the history"
 * - a flag is asked for as another type ......................... "the fallback of the code"
 * - one flag that cannot be read hides the others ............... "cannot be read"
 * - a client is asked before it knows anything .................. "before it knows", "bootstrap"
 * - the key was evicted ......................................... "evicted"
 * - a client outlives its handle ................................ "ends with"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import type { FlagDefinition } from "./definition.ts";
import type { Flags } from "./flags.ts";
import type { FlagsOptions } from "./options.ts";

const ON: FlagDefinition<boolean> = { variants: { on: true, off: false }, default: "on" };
const OFF: FlagDefinition<boolean> = { ...ON, default: "off" };

describe.each(backends())("flags [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const open = (name = randomName(), options?: FlagsOptions): Flags => handles.a.flags(name, options);

  it("changes reach every process, and each knows why", async () => {
    const flags = open();
    await using live = handles.b.flags(flags.name).client();
    await live.ready();
    expect(live.stale).toBe(false);
    expect(live.evaluate("a", false)).toMatchObject({ value: false, reason: "ERROR", errorCode: "FLAG_NOT_FOUND" });
    const changes: string[] = [];
    live.onChange(({ flags: changed }) => changes.push(changed.toSorted().join()));
    const set = await flags.set("a", ON);
    await until("a is on", () => live.value("a", false));
    expect(live.evaluate("a", false)).toEqual({
      value: true,
      variant: "on",
      reason: "STATIC",
      version: (set as { version: number }).version,
      rule: undefined,
      errorCode: undefined,
      errorMessage: undefined,
    });
    await flags.set("b", { variants: { big: { rows: 50 } }, default: "big" });
    await until("b is known", () => live.names.length === 2);
    expect(live.value("b", { rows: 5 })).toEqual({ rows: 50 });
    expect([...live.all().keys()].toSorted()).toEqual(["a", "b"]);
    await flags.delete("a");
    await until("a is gone", () => live.names.length === 1);
    expect(live.value("a", false)).toBe(false);
    expect(changes).toEqual(["a", "b", "a"]);
  });

  it("gives the fallback of the code where a flag is off, is of another type, or cannot be drawn", async () => {
    const flags = open();
    await flags.set("text", { variants: { a: "A" }, default: "a" });
    await flags.set("disabled", { ...ON, enabled: false });
    await flags.set("drawn", { ...ON, default: { on: 1, off: 1 } });
    await using live = flags.client();
    await live.ready();
    expect(live.evaluate("text", 5)).toMatchObject({ value: 5, errorCode: "TYPE_MISMATCH", reason: "ERROR" });
    expect(live.value("text", "B")).toBe("A");
    expect(live.evaluate("disabled", false)).toMatchObject({ value: false, reason: "DISABLED", variant: undefined });
    expect(live.evaluate("drawn", false)).toMatchObject({ value: false, errorCode: "TARGETING_KEY_MISSING" });
    expect(live.evaluate("drawn", false, { targetingKey: "u" })).toMatchObject({ reason: "SPLIT" });
    const gone = {
      get targetingKey(): string {
        throw new Error("gone");
      },
    };
    for (const context of [gone, null as never])
      expect(live.evaluate("drawn", false, context)).toMatchObject({ value: false, errorCode: "INVALID_CONTEXT" });
    expect([...live.all().keys()]).toEqual(["text"]);
    expect(() => live.value("text", undefined as never)).toThrow(/fallback/);
  });

  it("changes only over the version that is expected, and one of two who change it has done so", async () => {
    const flags = open();
    const first = await flags.set("a", ON, { ifVersion: 0 });
    expect(first).toMatchObject({ status: "ok" });
    const { version } = first as { version: number };
    expect(await flags.set("a", OFF, { ifVersion: 0 })).toEqual({ status: "conflict", version });
    expect(await flags.get("a")).toEqual({ flag: ON, version });
    const both = await Promise.all(
      [handles.a, handles.b].map((hf) => hf.flags(flags.name).set("a", OFF, { ifVersion: version })),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual(["conflict", "ok"]);
    expect(await flags.delete("a", { ifVersion: version })).toMatchObject({ status: "conflict" });
    expect(await flags.delete("a")).toMatchObject({ status: "ok" });
    expect(await flags.delete("a")).toEqual({ status: "missing" });
    expect(await flags.get("a")).toBeUndefined();
    const again = await flags.set("a", ON, { ifVersion: 0 });
    expect((again as { version: number }).version).toBeGreaterThan(version);
  });

  it("has no more than maxFlags", async () => {
    const flags = open(randomName(), { maxFlags: 2 });
    for (const name of ["a", "b"]) expect(await flags.set(name, ON)).toMatchObject({ status: "ok" });
    expect(await flags.set("c", ON)).toEqual({ status: "full" });
    expect(await flags.set("b", OFF)).toMatchObject({ status: "ok" });
    await flags.delete("a");
    expect(await flags.set("c", ON)).toMatchObject({ status: "ok" });
    expect([...(await flags.list()).keys()]).toEqual(["b", "c"]);
  });

  it("the history says who changed what, when and why, and is bounded", async () => {
    const flags = open(randomName(), { maxHistory: 3 });
    await flags.set("a", ON, { by: "ada", why: "launch" });
    await flags.set("b", ON);
    await flags.set("a", OFF, { by: "bob" });
    await flags.delete("a", { why: "done" });
    const notes = await flags.history();
    expect(notes.map(({ name, flag, by, why }) => [name, flag?.default, by, why])).toEqual([
      ["a", undefined, undefined, "done"],
      ["a", "off", "bob", undefined],
      ["b", "on", undefined, undefined],
    ]);
    expect(notes[0]!.at).toBeGreaterThanOrEqual(notes[1]!.at);
    expect((await flags.history({ flag: "b" })).map(({ name }) => name)).toEqual(["b"]);
    expect(await flags.history({ flag: "a", limit: 1 })).toHaveLength(1);
    expect(await open(flags.name, { maxHistory: 0 }).history()).toEqual([]);
  });

  it("a flag that cannot be read is reported, and the others are known", async () => {
    const flags = open();
    const key = `${handles.prefix}:flags:{${flags.name}}`;
    await flags.set("a", ON);
    await flags.set("b", ON);
    await handles.send("HSET", key, "=b", "7\nnonsense");
    const errors: unknown[] = [];
    await using live = flags.client({ onError: (error) => errors.push(error) });
    await live.ready();
    expect(live.value("a", false)).toBe(true);
    expect(live.evaluate("b", false)).toMatchObject({ value: false, errorCode: "PARSE_ERROR" });
    expect(errors).toHaveLength(1);
    await expect(flags.get("b")).rejects.toMatchObject({ code: "CODEC" });
  });

  it("after its key was evicted clients keep what they know, as stale, until the next change", async () => {
    const flags = open();
    await flags.set("a", ON);
    await using live = flags.client();
    await live.ready();
    const key = `${handles.prefix}:flags:{${flags.name}}`;
    await handles.send("DEL", key);
    await handles.b.channel(`unused ${flags.name}`).publish(0);
    await handles.send("PUBLISH", `${handles.prefix}:flags:${flags.name}`, "0");
    await until("it is stale", () => live.stale);
    expect(live.evaluate("a", false)).toMatchObject({ value: true, reason: "STALE" });
    await flags.set("b", ON);
    await until("it knows again", () => !live.stale);
    expect(live.names).toEqual(["b"]);
  });

  it("before it knows anything it gives the fallback, or what it was given at its start", async () => {
    const flags = open();
    await flags.set("a", OFF);
    await using bare = flags.client();
    expect(bare.evaluate("a", true)).toMatchObject({ value: true, errorCode: "PROVIDER_NOT_READY" });
    await using live = flags.client({ bootstrap: { a: ON, old: ON } });
    expect(live.evaluate("a", false)).toMatchObject({ value: true, reason: "STALE", version: 0 });
    await live.ready();
    expect(live.value("a", true)).toBe(false);
    expect(live.names).toEqual(["a"]);
  });

  it("a client ends with its close, and says what it knew", async () => {
    const flags = open();
    await flags.set("a", ON);
    const live = flags.client();
    await live.ready();
    await live.close();
    await live.close();
    expect(live.evaluate("a", false)).toMatchObject({ value: true, reason: "STALE" });
    const never = flags.client();
    const ready = never.ready();
    await never.close();
    await expect(ready).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("bad input is refused at the door, with the field's name", async () => {
    const flags = open();
    await expect(flags.set("", ON)).rejects.toThrow(/flag/);
    await expect(flags.set("a", { ...ON, default: "x" })).rejects.toThrow(/default/);
    const huge = { ...ON, description: "x".repeat(70_000) };
    await expect(flags.set("a", huge)).rejects.toThrow(/65536 bytes/);
    await expect(flags.set("a", ON, { ifVersion: -1 })).rejects.toThrow(/ifVersion/);
    await expect(flags.set("a", ON, { who: "me" } as never)).rejects.toThrow(/who/);
    await expect(flags.history({ limit: 0 })).rejects.toThrow(/limit/);
    expect(() => flags.client({ bootstrap: { a: { ...ON, default: "x" } } })).toThrow(/default/);
    expect(() => handles.a.flags("x", { maxFlags: 0 })).toThrow(/maxFlags/);
  });
});
