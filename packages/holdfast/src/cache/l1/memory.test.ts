/**
 * What could go wrong, and the test for it:
 * - a value that was changed while it was on its way is kept, and served for good .... "changed since it was asked for"
 * - the same, after more changes than are remembered .............................. "more changes than it remembers"
 * - it grows without end .................................................. "keeps no more"
 * - a caller changes what others get .......................................... "frozen"
 * - what cannot be frozen is shared all the same, or refers to itself .......... "cannot be frozen"
 * - a small part of a large reply keeps all of it in memory ..................... "cannot be frozen"
 */
import { describe, expect, it } from "vitest";
import { systemRuntime } from "../../base/runtime.ts";
import { Memory } from "./memory.ts";
import { type CacheL1Options, l1Settings } from "./options.ts";

const BYTES = Buffer.from("12345678");

function memory(options: CacheL1Options = {}): Memory {
  return new Memory(systemRuntime, l1Settings(options)!);
}

describe("entries in memory", () => {
  it("keeps nothing that was changed since it was asked for", () => {
    const entries = memory();
    const since = entries.changes;
    entries.changed("a");
    entries.keep("a", since, 60_000, "old", BYTES);
    entries.keep("b", since, 60_000, "good", BYTES);
    expect([entries.get("a", systemRuntime.now()), entries.get("b", systemRuntime.now())?.value]).toEqual([
      undefined,
      "good",
    ]);
    entries.keep("a", entries.changes, 60_000, "new", BYTES);
    expect(entries.get("a", systemRuntime.now())?.value).toBe("new");
  });

  it("keeps nothing that was asked for before more changes than it remembers, or before all was forgotten", () => {
    const entries = memory();
    const since = entries.changes;
    entries.changed("a");
    for (let at = 0; at < 5_000; at += 1) entries.changed(`other ${at}`);
    entries.keep("a", since, 60_000, "old", BYTES);
    expect(entries.get("a", systemRuntime.now())).toBeUndefined();
    const asked = entries.changes;
    entries.forget();
    entries.keep("b", asked, 60_000, "old", BYTES);
    expect(entries.get("b", systemRuntime.now())).toBeUndefined();
    entries.keep("b", entries.changes, 60_000, "new", BYTES);
    expect(entries.get("b", systemRuntime.now())?.value).toBe("new");
  });

  it("keeps no more entries, and no more bytes, than it may, and none that is over", () => {
    const few = memory({ max: 2 });
    for (const key of ["a", "b", "c"]) few.keep(key, 0, 60_000, key, BYTES);
    expect([few.size, few.get("a", systemRuntime.now())]).toEqual([2, undefined]);
    const small = memory({ maxBytes: 1_000 });
    small.keep("large", 0, 60_000, "x", Buffer.alloc(2_000));
    for (let at = 0; at < 100; at += 1) small.keep(`k${at}`, 0, 60_000, at, BYTES);
    expect(small.bytes).toBeLessThanOrEqual(1_000);
    expect(small.get("large", systemRuntime.now())).toBeUndefined();
    small.keep("over", 0, 0, "x", BYTES);
    small.keep("over too", 0, -5, "x", BYTES);
    expect([small.get("over", systemRuntime.now()), small.get("over too", systemRuntime.now())]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it("shares a frozen value, and says so by being it", () => {
    const entries = memory();
    const value = { list: [{ deep: 1 }] };
    entries.keep("a", 0, 60_000, value, BYTES);
    const kept = entries.get("a", systemRuntime.now())!.value as typeof value;
    expect(kept).toBe(value);
    expect(() => kept.list.push({ deep: 2 })).toThrow(TypeError);
    expect(() => (kept.list[0]!.deep = 3)).toThrow(TypeError);
  });

  it("keeps bytes of its own of what cannot be frozen, or may not be shared", () => {
    const entries = memory();
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    const reply = Buffer.alloc(1_000_000, 7);
    for (const [key, value] of Object.entries({ date: new Date(), map: new Map(), bytes: Buffer.from("x"), loop })) {
      entries.keep(key, 0, 60_000, { value }, reply.subarray(0, 8));
      const kept = entries.get(key, systemRuntime.now())!;
      expect([kept.value, kept.bytes]).toEqual([undefined, Buffer.alloc(8, 7)]);
      expect(kept.bytes!.buffer.byteLength).toBeLessThan(100_000);
      expect(Object.isFrozen(value)).toBe(false);
    }
    const decoding = memory({ values: "decoded" });
    decoding.keep("a", 0, 60_000, { plain: 1 }, BYTES);
    expect(decoding.get("a", systemRuntime.now())).toMatchObject({ value: undefined, bytes: BYTES });
    const sharing = memory({ values: "shared" });
    const date = new Date();
    sharing.keep("a", 0, 60_000, date, BYTES);
    expect(sharing.get("a", systemRuntime.now())!.value).toBe(date);
  });
});
