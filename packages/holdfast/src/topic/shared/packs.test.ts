// What could go wrong: a subscription of many partitions keeps packs of all of them, and its process runs out of memory; or what it has dropped is
// missing where it is asked for again.
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { Topic } from "../topic.ts";
import { KeptPacks, PackReader } from "./packs.ts";

const PARTITIONS = 24;
const PACKS = 16;

describe.each(backends("standalone", "embedded"))("packs of many partitions [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it("are kept up to a bound in all, and read again where they were dropped", async () => {
    const topic = handles.a.topic<string>(randomName(), { partitions: PARTITIONS });
    const text = "x".repeat(60_000);
    const { core, logs } = Topic.sourceOf(topic);
    const keys = new Map<number, string>();
    for (let at = 0; keys.size < PARTITIONS; at += 1) {
      const result = await topic.publish(text, { key: `k${at}` });
      if (result.status === "ok" && !keys.has(result.partition)) keys.set(result.partition, `k${at}`);
    }
    for (let pack = 0; pack < PACKS; pack += 1)
      await Promise.all([...keys.values()].map((key) => topic.publish(text, { key })));
    const kept = new KeptPacks();
    const readers = logs.map((log) => new PackReader(core.logs.feed(log), kept));
    const read = async (): Promise<number[]> => {
      const lengths: number[] = [];
      for (const [at, reader] of readers.entries()) {
        const [first] = await Topic.sourceOf(topic).store(at, "test").range(0, 1);
        lengths.push((await reader.read(first!.epoch, 1, PACKS)).length);
        expect(kept.bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
      }
      return lengths;
    };
    expect(await read()).toEqual(readers.map(() => PACKS));
    expect(kept.bytes).toBeGreaterThan(8 * 1024 * 1024);
    expect(await read()).toEqual(readers.map(() => PACKS));
  });
});
