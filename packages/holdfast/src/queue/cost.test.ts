// What could go wrong, and the test for each:
// - each job of a claim costs the server a walk past the others .... "keeps what a busy worker runs in a skip list"
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { Deferred } from "../base/deferred.ts";
import { connect } from "../connect.ts";

describe.each(backends("standalone", "embedded"))("what a queue costs [$name]", ({ url, options }) => {
  it("keeps what a busy worker runs in a skip list, and nothing else in it", async () => {
    const prefix = `qc-${randomUUID()}`;
    await using hf = await connect(url, { ...options, prefix });
    const queue = hf.queue<number>("jobs");
    const [allRun, release] = [new Deferred<void>(), new Deferred<void>()];
    let running = 0;
    await queue.addMany(Array.from({ length: 20 }, (_, at) => at));
    await using worker = queue.work(
      () => {
        running += 1;
        if (running === 20) allRun.resolve();
        return release.promise;
      },
      { concurrency: 20 },
    );
    await allRun.promise;
    const keys: string[] = [];
    for await (const page of hf.scan("queue:{jobs}:active:")) keys.push(...page);
    expect(keys).toHaveLength(1);
    expect(await hf.command("ZCARD", keys[0]!)).toBe(20);
    expect(String(await hf.command("OBJECT", "ENCODING", keys[0]!))).toBe("skiplist");
    expect(await queue.counts()).toMatchObject({ active: 20 });
    release.resolve();
    await worker.close();
    expect(worker.stats()).toMatchObject({ completed: 20, lost: 0 });
  });
});
