// What could go wrong, and the test for each:
// - a reader sees half of a change .............................. "reads all of a change or nothing of it"
// - several processes fetch a stale configuration ............... "is fetched once, and read meanwhile"
// - nobody can read while it is fetched ......................... the same
// - a writer that has lost the lock overwrites what is newer ...... "a late writer is refused"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { type Files, SharedConfig } from "./shared-config.ts";

const NAMES = ["routes", "limits", "prices"];

class Share implements Files {
  readonly #texts = new Map<string, string>();
  #highest = 0;

  async read(file: string): Promise<string | undefined> {
    await setImmediate();
    return this.#texts.get(file);
  }

  async write(file: string, text: string, fence: number): Promise<void> {
    await setImmediate();
    if (fence < this.#highest) throw new Error(`fence ${fence} is stale`);
    this.#highest = fence;
    this.#texts.set(file, text);
  }
}

function version(text: string): Record<string, string> {
  return Object.fromEntries(NAMES.map((name) => [name, text]));
}

describe.each(backends("standalone", "embedded"))("cookbook: shared configuration [$name]", ({ url, options }) => {
  let handles: Holdfast[] = [];
  let share: Share;
  let configs: [SharedConfig, SharedConfig, SharedConfig];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    handles = await Promise.all([1, 2, 3].map(() => connect(url, { ...options, prefix })));
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));
  beforeEach(() => {
    share = new Share();
    configs = handles.map((hf) => new SharedConfig(hf, share, NAMES)) as typeof configs;
  });

  it("reads all of a change or nothing of it", async () => {
    const [writer, ...readers] = configs;
    await writer.replace(version("0"));
    const writing = (async () => {
      for (let nth = 1; nth <= 10; nth += 1) await writer.replace(version(String(nth)));
    })();
    const seen = await Promise.all(
      Array.from({ length: 40 }, async (_, nth) => Object.values(await readers[nth % 2]!.read())),
    );
    await writing;
    expect(seen.filter((texts) => new Set(texts).size !== 1)).toEqual([]);
    expect(await writer.read()).toEqual(version("10"));
  });

  it("is fetched once, and read meanwhile", async () => {
    await configs[0].replace(version("old"));
    let fetches = 0;
    const isStale = (config: Readonly<Record<string, string>>): boolean => config["routes"] === "old";
    const fetch = async (): Promise<Record<string, string>> => {
      fetches += 1;
      expect(await configs[2].read()).toEqual(version("old"));
      return version("new");
    };
    const refreshed = await Promise.all(configs.map((config) => config.refresh(isStale, fetch)));
    expect(fetches).toBe(1);
    expect(refreshed).toEqual([version("new"), version("new"), version("new")]);
  });

  it("a late writer is refused", async () => {
    const lock = handles[0]!.rwlock("config");
    const late = await lock.write.acquire();
    await late.release();
    await configs[1].replace(version("newer"));
    await expect(share.write("routes", "older", late.fence)).rejects.toThrow("is stale");
    expect(await configs[2].read()).toEqual(version("newer"));
  });
});
