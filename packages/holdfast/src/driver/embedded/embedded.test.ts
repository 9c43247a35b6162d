import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connect } from "../../connect.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { withoutUrl } from "./default.ts";
import { snapshotPathOf } from "./url.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-driver-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Percent-encoded, with a folder that is not there yet. */
const urlOf = (name: string): string =>
  `embedded://${pathToFileURL(join(folder, "a folder", name)).href.slice("file://".length)}`;

describe("embedded:// URLs", () => {
  it("name a file relative to the working directory, an absolute one, or none", () => {
    expect(snapshotPathOf("embedded://")).toBeUndefined();
    expect(snapshotPathOf("embedded://./state")).toBe(join(process.cwd(), "state"));
    expect(snapshotPathOf("EMBEDDED://a%20b/st%C3%A4te")).toBe(join(process.cwd(), "a b/stäte"));
    expect(snapshotPathOf("embedded:///var/lib/state")).toBe("/var/lib/state");
  });

  it.each(["embedded:state", "embedded:/state", "embedded://state?a=1", "embedded://state#a", "embedded://%zz"])(
    "are refused when they are nonsense: %s",
    (url) => {
      expect(() => snapshotPathOf(url)).toThrow(InvalidArgumentError);
    },
  );
});

describe("handles", () => {
  it("answer under a test's fake timers, and when those are gone", async () => {
    vi.useFakeTimers();
    try {
      await using hf = await connect("embedded://");
      const counter = hf.counter("fake-time", { ttl: "1m" });
      expect((await counter.increment("a")).value).toBe(1);
      vi.useRealTimers();
      expect((await counter.increment("a")).value).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it("share the server of their file, whose state outlives the last of them", async () => {
    const url = urlOf("stäte");
    const [one, other] = [await connect(url), await connect(url)];
    await one.counter("n").increment("id");
    await one.close();
    expect(await other.counter("n").increment("id")).toMatchObject({ value: 2 });
    await other.close();
    expect(existsSync(join(folder, "a folder", "stäte"))).toBe(true);
    const [closing, next] = [await connect(url), connect(url)];
    await Promise.all([closing.close(), next]);
    await using again = await next;
    expect(await again.counter("n").increment("id")).toMatchObject({ value: 3 });
  });

  it("without a file share what is in memory, until the last is closed", async () => {
    const [one, other] = [await connect("embedded://"), await connect("embedded://")];
    await one.counter("n").increment("id");
    expect(await other.counter("n").increment("id")).toMatchObject({ value: 2 });
    await Promise.all([one.close(), other.close()]);
    await using again = await connect("embedded://");
    expect(await again.counter("n").increment("id")).toMatchObject({ value: 1 });
  });

  it("are refused where the file is something else, and say which", async () => {
    const file = join(folder, "notes.txt");
    await writeFile(file, "mine");
    await expect(connect(`embedded://${file}`)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining(file) as string,
    });
  });
});

describe("connect() without a URL", () => {
  it("says once that it uses the embedded server, in one line; nothing in tests; and refuses in production", () => {
    const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      expect(withoutUrl({ NODE_ENV: "test" })).toBe("embedded://");
      expect(written).not.toHaveBeenCalled();
      expect([withoutUrl({}), withoutUrl({})]).toEqual(["embedded://", "embedded://"]);
      expect(written.mock.calls).toEqual([[expect.stringMatching(/^holdfast: no URL given [^\n]*\n$/)]]);
    } finally {
      written.mockRestore();
    }
    expect(() => withoutUrl({ NODE_ENV: "production" })).toThrow(InvalidArgumentError);
  });
});
