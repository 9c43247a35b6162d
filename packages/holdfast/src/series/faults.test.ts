/**
 * What could go wrong, and the test that watches it:
 * - a point whose answer was lost is there twice, or not at all ....... "a lost answer"
 * - one that must not be sent again is ................................ "all: a lost answer"
 * - a sealing whose answer was lost loses points, or doubles them ..... "of a sealing"
 * - two processes seal at once, or points come while one does ......... "while points come"
 * - whoever was to seal died .......................................... "somebody else"
 * - a call hangs while the server does ................................ "while the server is stopped"
 * - a chunk that is damaged holds up the others ....................... "damaged"
 * - a period is sealed while a point is on its way to it ............. "on its way"
 * - a key is evicted .................................................. "evicted"
 */
import { describe, expect, it } from "vitest";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { BehindProxy } from "../../test/support/behind-proxy.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import { CodecError, OutcomeUnknownError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import { append, appendOnce, seal } from "./scripts.gen.ts";
import type { Series } from "./series.ts";

const SHORT = { period: "1s", keep: "1h", rollups: ["1s"] } as const;

describe("series under faults", () => {
  const net = new BehindProxy();

  const keys = async (name: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of net.direct.scan(`series:${name}:`)) found.push(...page);
    return found;
  };

  async function counted(series: Series, from: number): Promise<number> {
    const span = { from, to: from + 10_000, every: "10s", aggregate: ["count"] } as const;
    return (await series.range("x", span)).reduce((sum, { count }) => sum + count!, 0);
  }

  /** A whole ten seconds that are over. */
  const past = (): number => Math.floor(Date.now() / 10_000) * 10_000 - 20_000;

  it("a point with a lost answer is sent again, and is there once", async () => {
    const series = net.hf.series(randomName());
    const at = past();
    await series.add("x", 1, { at });
    expect(await losingAnswer(net.proxy, append, () => series.add("x", 2, { at: at + 1 }))).toEqual({ status: "ok" });
    expect(await counted(series, at)).toBe(2);
  });

  it.each(["all", "sum"] as const)(
    "%s: a lost answer is an unknown outcome, and the point is there once",
    async (duplicates) => {
      const series = net.hf.series(randomName(), { duplicates });
      const at = past();
      await series.add("x", 1, { at });
      const adding = losingAnswer(net.proxy, appendOnce, () => series.add("x", 2, { at: at + 1 }));
      await expect(adding).rejects.toBeInstanceOf(OutcomeUnknownError);
      expect(await counted(series, at)).toBe(2);
    },
  );

  it("the lost answer of a sealing loses no point and doubles none", async () => {
    const name = randomName();
    const at = past();
    const writer = net.direct.series(name, { ...SHORT, duplicates: "all" });
    for (const since of [0, 10, 20]) await writer.add("x", since, { at: at + since });
    const series = net.hf.series(name, { ...SHORT, duplicates: "all" });
    await losingAnswer(net.proxy, seal, () =>
      until("it is sealed", async () => {
        await series.last("x");
        await counted(series, at);
        return (await keys(name)).some((key) => key.endsWith(":sealed"));
      }),
    );
    expect(await counted(series, at)).toBe(3);
  });

  it("several processes seal while points come: each point counts once, in the points and in the roll-up", async () => {
    const name = randomName();
    const handles = await Promise.all([1, 2, 3].map(() => connect(net.server.url, { prefix: net.prefix })));
    const all = handles.map((each) => each.series(name, { ...SHORT, duplicates: "all" }));
    const from = past();
    let added = 0;
    const wrong: number[] = [];
    for (let turn = 0; turn < 40; turn += 1) {
      const adding = all.map((series) => series.add("x", 1, { at: from + ((turn * 250) % 10_000) }));
      added += (await Promise.all(adding)).length;
      const found = await counted(all[turn % 3]!, from);
      if (found !== added) wrong.push(found);
      await until("a tenth of a second later", laterBy(100));
    }
    expect(wrong).toEqual([]);
    await until("all is sealed", async () => {
      await counted(all[0]!, from);
      const left = (await keys(name)).filter((key) => /\}:1000:\d+$/.test(key));
      return left.length === 0;
    });
    expect(await counted(all[1]!, from)).toBe(added);
    for (const key of await keys(name)) if (key.endsWith(":sealed")) await net.direct.command("DEL", key);
    expect(await counted(all[2]!, from)).toBe(added);
    await Promise.all(handles.map((each) => each.close()));
  });

  it("what a process that died was to seal, somebody else does", async () => {
    const name = randomName();
    const dying = await connect(net.server.url, { prefix: net.prefix });
    const at = past();
    await dying.series(name, SHORT).add("x", 1, { at });
    await dying.close();
    const series = net.direct.series(name, SHORT);
    await until("it is sealed", async () => {
      await counted(series, at);
      return (await keys(name)).some((key) => key.endsWith(":sealed"));
    });
    expect(await counted(series, at)).toBe(1);
  });

  it("while the server is stopped every call settles by its deadline", async () => {
    const series = net.hf.series(randomName(), { timeout: 100 });
    await series.add("x", 1);
    await net.server.pause();
    const calls = [
      series.add("x", 1),
      series.last("x"),
      series.range("x", { last: "1h", every: "1m" }),
      series.find(),
      series.remove("x"),
    ];
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
  });

  it("a chunk that is damaged is a CodecError for those who read it, and holds up no other", async () => {
    const name = randomName();
    const at = past();
    const series = net.direct.series(name, SHORT);
    await series.add("x", 1, { at });
    await series.add("x", 1, { at: at + 2_000 });
    const first = (await keys(name)).find((key) => key.endsWith(`:${at / 1_000}`))!;
    await net.direct.command("APPEND", first, "?");
    await expect(counted(series, at)).rejects.toBeInstanceOf(CodecError);
    await until("the other is sealed", async () => {
      await series.add("y", 1);
      return (await keys(name)).some((key) => key.endsWith(`:${at / 1_000 + 2}:sealed`));
    });
  });

  it("a point that is on its way while its period is sealed is sealed too", async () => {
    const name = randomName();
    const [series, other] = [net.hf.series(name, SHORT), net.direct.series(name, SHORT)];
    const at = Math.ceil(Date.now() / 1_000) * 1_000 + 2_000;
    await series.add("x", 1, { at });
    net.proxy.freeze();
    const adding = series.add("x", 2, { at: at + 1 });
    await until("it is sealed without that point", async () => {
      await counted(other, at);
      return (await keys(name)).some((each) => each.endsWith(`:${at / 1_000}:sealed`));
    });
    await net.proxy.heal();
    expect(await adding).toEqual({ status: "ok" });
    await until("it is sealed with that point", async () => {
      await counted(other, at);
      return (await keys(name)).every((each) => !each.endsWith(`:${at / 1_000}`));
    });
    expect(await counted(other, at)).toBe(2);
  });

  it("whichever key is evicted, only what it held is gone, and the series goes on", async () => {
    for (const place of ["chunk", "newest", "ids", "labels", "unsealed"]) {
      const name = randomName();
      const at = past();
      const series = net.direct.series(name);
      await series.add("x", 1, { at, labels: { a: "b" } });
      for (const key of [...(await keys(name)), ...(await registry(name))])
        if (kindOf(key) === place) await net.direct.command("DEL", key);
      expect(await series.add("x", 2, { at: at + 1, labels: { a: "b" } })).toEqual({ status: "ok" });
      expect(await counted(series, at)).toBe(place === "chunk" ? 1 : 2);
      expect(await series.last("x")).toEqual({ at: at + 1, value: 2 });
    }
  });

  const registry = async (name: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of net.direct.scan(`series:{${name}}`)) found.push(...page);
    return found;
  };
});

function kindOf(key: string): string {
  const registry = /:(ids|labels|unsealed)(?::\d+)?$/.exec(key);
  if (registry !== null) return registry[1]!;
  return key.endsWith("}") ? "newest" : "chunk";
}

function laterBy(ms: number): () => boolean {
  const start = performance.now();
  return () => performance.now() - start >= ms;
}
