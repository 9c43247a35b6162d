/**
 * What was stored for an entry once, and must be readable until it has expired. `golden/v2.json` never changes: a new format gets a new file.
 *
 * What could go wrong, and the test for each:
 * - a later version reads another time, sequence or value in it ......... "is read as it was written"
 * - it writes the same entry otherwise, so that an older one cannot ...... the same
 * - the server's scripts understand less of it than the client ............ "is served, touched, and removed"
 * - a write that waits, or was put aside, is lost in an update ............ "a write that waits"
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { type About, aboutOf, freshUntil, hasGrace, headOf, isEntry, payloadOf, sequenceOf } from "./entry.ts";
import { NEVER_ENDS } from "./ttl.ts";
import { buriedOf, pendingOf } from "./writer/record.ts";

const stored = JSON.parse(readFileSync(new URL("golden/v2.json", import.meta.url), "utf8")) as {
  name: string;
  hex: string;
}[];
const bytesOf = (name: string): Buffer => Buffer.from(stored.find((each) => each.name === name)!.hex, "hex");

const UNTIL = Date.UTC(2100, 0, 1);
const SEQUENCE = 250_000_000_000_000;

interface Case {
  readonly name: string;
  readonly value: unknown;
  readonly about?: About;
  readonly until?: number;
}

const CASES: readonly Case[] = [
  { name: "plain", value: "Ada ✓" },
  { name: "grace", value: { id: 42 } },
  { name: "about", value: [1, null], about: { t: ["team:7", "naïve"], e: '"v1"' } },
  { name: "grace and about", value: 7, about: { t: ["t"], l: 60_000, d: 12 } },
  { name: "none", value: undefined },
  { name: "for ever", value: true, until: NEVER_ENDS },
];

it.each(CASES)("an entry ($name) is read as it was written, and written so again", ({ name, about, until = UNTIL }) => {
  const bytes = bytesOf(name);
  const isGraced = name.startsWith("grace");
  expect(isEntry(bytes)).toBe(true);
  expect([freshUntil(bytes), sequenceOf(bytes), hasGrace(bytes)]).toEqual([until, SEQUENCE, isGraced]);
  expect(aboutOf(bytes)).toEqual(about);
  const head = headOf(SEQUENCE, isGraced, about);
  const time = bytes.subarray(1, 7);
  expect(Buffer.concat([head.subarray(0, 1), time, head.subarray(1), payloadOf(bytes)])).toEqual(bytes);
});

it("a write that waits, and one that was put aside, are read as they were written", () => {
  const waiting = pendingOf("a", bytesOf("a write that waits"));
  const version = 1_790_000_000_000_001;
  expect(waiting).toMatchObject({ id: "a", version, claim: 0, attempt: 0, removes: false });
  expect(waiting.payload).toEqual(Buffer.from([0xf9, 1, 0x35]));
  const removal = { version: version + 1, claim: version + 2, attempt: 2, removes: true, payload: Buffer.alloc(0) };
  expect(pendingOf("a", bytesOf("a removal that is being written"))).toEqual({ id: "a", ...removal });
  const dead = { ...waiting, deadAt: 1_790_000_000_123, reason: "no such column" };
  expect(buriedOf("a", bytesOf("a write that was put aside"))).toEqual(dead);
});

describe.each(backends("standalone", "embedded"))("entries of an earlier version [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });

  it.each(CASES)("an entry ($name) is served, touched, and removed", async ({ name, value }) => {
    const cache = two.a.cache<unknown>(randomName(), { timeout: "1m", jitter: 0 });
    const key = `${two.prefix}:cache:${cache.name}:{a}`;
    const put = () => two.a.driver.send(["SET", key, bytesOf(name)], { op: "test", class: "unsafe" }, key);
    await put();
    expect(await cache.get("a")).toEqual(value);
    const isThere = value !== undefined;
    expect([await cache.has("a"), await cache.touch("a"), await cache.delete("a")]).toEqual([
      isThere,
      isThere,
      isThere,
    ]);
    await put();
    expect([await cache.expire("a"), await cache.get("a")]).toEqual([isThere, undefined]);
  });
});
