// - reloads, or a crawler, make an article look hot ....... "counts a reader's reloads once"
// - a page of one process shows only its own .............. "whichever process is asked"
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { Trending } from "./trending.ts";

describe.each(backends("standalone", "embedded"))("cookbook: trending [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  async function processes(count: number): Promise<Trending[]> {
    const prefix = `cook-${randomUUID()}`;
    const opened = await Promise.all(
      Array.from({ length: count }, () => connect(url, { ...options, prefix, timeout: "30s" })),
    );
    handles.push(...opened);
    return opened.map((hf) => new Trending(hf));
  }

  it("shows what most different readers read, whichever process is asked", async () => {
    const [a, b, c] = await processes(3);
    for (let reader = 0; reader < 6; reader += 1) await a!.viewed("redis", `reader:${reader}`);
    for (let reader = 0; reader < 9; reader += 1) await b!.viewed("valkey", `reader:${reader}`);
    await a!.viewed("lua", "reader:1");
    expect(await c!.now(2)).toMatchObject([
      { article: "valkey", readers: 9, exact: true },
      { article: "redis", readers: 6, exact: true },
    ]);
  });

  it("counts a reader's reloads once", async () => {
    const [a, b] = await processes(2);
    const counted = [await a!.viewed("redis", "ada"), await b!.viewed("redis", "ada"), await a!.viewed("lua", "ada")];
    expect(counted).toEqual([true, false, true]);
    expect((await b!.now()).map(({ heat }) => heat)).toEqual([1, 1]);
  });
});
