// What could go wrong, and the test for each:
// - the next process begins again from the first row ...... "goes on in the next process where it stopped"
// - somebody else begins in between ........................ the same
// - two go on with it ...................................... the same
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { importRows } from "./hand-on.ts";

describe.each(backends("standalone", "embedded"))("cookbook: handing on [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    handles.push(...(await Promise.all([1, 2].map(() => connect(url, { ...options, prefix })))));
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));

  it("goes on in the next process where it stopped, once, and nobody begins in between", async () => {
    const [old, next] = handles as [Holdfast, Holdfast];
    const rows = ["a", "b", "c", "d"];
    const written: string[] = [];
    const fences: number[] = [];
    const shutdown = new AbortController();
    const write = async (row: string, fence: number): Promise<void> => {
      written.push(row);
      fences.push(fence);
      if (row === "b") shutdown.abort();
    };
    const from = await importRows(old, rows, write, { stop: shutdown.signal });
    expect(from).toMatchObject({ next: 2 });
    await expect(importRows(next, rows, write)).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(await importRows(next, rows, write, { from: from! })).toBeUndefined();
    await expect(importRows(old, rows, write, { from: from! })).rejects.toThrow("the import was expired");
    expect(written).toEqual(rows);
    expect(fences[2]).toBeGreaterThan(fences[1]!);
    expect(await next.lock("import").info()).toBeUndefined();
  });
});
