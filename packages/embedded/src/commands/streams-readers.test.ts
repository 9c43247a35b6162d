// What could go wrong: a reader that waits is served in another order, with other entries, or later than by Redis; or never.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Oracle, type Pair, startOracle } from "../testing/differential.ts";
import { withoutTimes } from "../testing/grammars/streams.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

describe("readers that wait are served as Redis serves them", () => {
  let reader: Pair;
  let writer: Pair;

  async function begin(resp: 2 | 3): Promise<void> {
    [reader, writer] = await Promise.all([oracle.connect(resp), oracle.connect()]);
    await writer.both("FLUSHALL");
  }

  /** The reader's command, once both servers hold it. */
  async function waiting(command: string): Promise<{ readonly finished: Promise<string> }> {
    const started = reader.start(command);
    await expect
      .poll(() => writer.both("INFO clients"))
      .toEqual(Array(2).fill(expect.stringMatching(/blocked_clients:1\b/)));
    return started;
  }

  async function end(): Promise<void> {
    reader.close();
    writer.close();
    await expect
      .poll(async () => {
        const other = await oracle.connect();
        const infos = await other.both("INFO clients");
        other.close();
        return infos;
      })
      .toEqual(Array(2).fill(expect.stringMatching(/blocked_clients:0\b/)));
  }

  const scenarios: readonly (readonly [
    name: string,
    before: readonly string[],
    wait: string,
    after: readonly string[],
  ])[] = [
    ["by the next entry", ["XADD s 1-1 a 1"], "XREAD BLOCK 0 STREAMS s $", ["XADD s 2-1 b 2"]],
    ["on one of several streams", [], "XREAD BLOCK 0 STREAMS r s 0 0", ["XADD s 2-1 b 2"]],
    ["not by entries below their id", [], "XREAD BLOCK 0 STREAMS s 5", ["XADD s 1-1 a 1", "XADD s 6-0 a 1"]],
    [
      "not by a deletion",
      ["XADD s 1-1 a 1", "XADD s 9-1 a 1", "XDEL s 9-1"],
      "XREAD BLOCK 0 STREAMS s 5",
      ["XDEL s 1-1", "XADD s 9-9 a 1"],
    ],
    [
      "by an entry that is gone already",
      ["XADD s 1-1 a 1"],
      "XREAD BLOCK 0 STREAMS s $",
      ["MULTI", "XADD s 2-1 a 1", "XDEL s 2-1", "EXEC"],
    ],
    ["not by another type", [], "XREAD BLOCK 0 STREAMS s 0", ["SET s x", "DEL s", "XADD s 1-1 a 1"]],
    ["by a stream renamed", ["XADD t 1-1 a 1"], "XREAD BLOCK 0 STREAMS s 0", ["RENAME t s"]],
    ["in a group", ["XGROUP CREATE s g $ MKSTREAM"], "XREADGROUP GROUP g c BLOCK 0 STREAMS s >", ["XADD s 2-1 b 2"]],
    [
      "in a group without acknowledgement",
      ["XGROUP CREATE s g $ MKSTREAM"],
      "XREADGROUP GROUP g c BLOCK 0 NOACK STREAMS s >",
      ["XADD s 2-1 b 2"],
    ],
    [
      "not by a group set back",
      ["XADD s 1-1 a 1", "XGROUP CREATE s g $"],
      "XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
      ["XGROUP SETID s g 0", "XADD s 2-1 b 2"],
    ],
    [
      "with an error when the stream is deleted",
      ["XGROUP CREATE s g $ MKSTREAM"],
      "XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
      ["DEL s"],
    ],
    [
      "with an error when the stream is overwritten",
      ["XGROUP CREATE s g $ MKSTREAM"],
      "XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
      ["SET s x"],
    ],
    [
      "with an error when the group is destroyed",
      ["XGROUP CREATE s g $ MKSTREAM"],
      "XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
      ["XGROUP DESTROY s g"],
    ],
    [
      "with an error when everything is flushed",
      ["XGROUP CREATE s g $ MKSTREAM"],
      "XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
      ["FLUSHALL"],
    ],
  ];

  it.each(scenarios.flatMap((scenario) => ([2, 3] as const).map((resp) => [resp, ...scenario] as const)))(
    "RESP%i: %s",
    async (resp, _name, before, wait, after) => {
      await begin(resp);
      for (const command of before) await writer.same(command);
      const { finished } = await waiting(wait);
      for (const command of after) await writer.same(command);
      await finished;
      await writer.same("XINFO STREAM s FULL", { normalise: withoutTimes });
      await end();
    },
  );

  it("when their time is over", async () => {
    await begin(2);
    await reader.same("XREAD BLOCK 20 STREAMS s 0");
    await end();
  });

  it("at most a thousand entries at once", async () => {
    await begin(2);
    const { finished } = await waiting("XREAD BLOCK 0 STREAMS s 0");
    await writer.same("MULTI");
    for (let i = 1; i <= 1001; i += 1) await writer.same(`XADD s ${i} a 1`);
    await writer.same("EXEC");
    expect(await finished).toMatch(/^\*1\r\n\*2\r\n\$1\r\ns\r\n\*1000\r\n/);
    await end();
  });

  it("at once in a transaction, and not from a script", async () => {
    await oracle.expectSame([
      "MULTI",
      "XREAD BLOCK 0 STREAMS s $",
      "EXEC",
      "EVAL \"return redis.pcall('xREAD', 'BLOCK', 0, 'STREAMS', 's', 0)\" 1 s",
    ]);
  });
});
