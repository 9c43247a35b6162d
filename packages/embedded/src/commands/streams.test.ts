import { afterAll, beforeAll, describe, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";
import { Syntax } from "../testing/grammar.ts";
import { streamPlaceholders, streamSyntax, withoutTimes } from "../testing/grammars/streams.ts";
import { SeededRandom } from "../base/random.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

const SEQUENCES = 4;
const COMMANDS = 400;

describe("streams answer as Redis does", () => {
  it.each(Array.from({ length: SEQUENCES }, (_, i) => i + 1))("in a generated sequence, seed %i", async (seed) => {
    const random = new SeededRandom(seed);
    const syntaxes = streamSyntax.map((notation) => new Syntax(notation));
    const placeholders = { ...streamPlaceholders(), key: () => random.pick(["s1", "s1", "s1", "s2", "string"]) };
    const commands = Array.from({ length: COMMANDS }, () => random.pick(syntaxes).generate(random, placeholders));
    await oracle.expectSame(["SET string x", ...commands], { normalise: withoutTimes });
  });

  it("to every spelling of an id", () =>
    oracle.expectSame([
      ...["1-1", "0-0", "0-*", "0", "-", "+", "$", ">", "", "-5", "5-", "5--3", "1-1-1", "a", "1-a", "1.5-0"].map(
        (id) => ["XADD", "s", id, "a", "1"],
      ),
      ...[
        "007-1",
        " 8-1",
        "+9-1",
        "9- 2",
        "9--03",
        "*-1",
        "**",
        "12-*1",
        `${"0".repeat(126)}9`,
        `${"0".repeat(128)}9`,
      ].map((id) => ["XADD", "s", id, "a", "1"]),
      "XADD s 18446744073709551616-0 a 1",
      "XADD s 9007199254740993-9007199254740993 a 1",
      "XADD s 9007199254740993-* a 1",
      "XADD s 18446744073709551615-18446744073709551614 a 1",
      "XADD s 18446744073709551615-* a 1",
      "XADD s * a 1",
      "XADD s 18446744073709551615-18446744073709551615 a 1",
      "XRANGE s - +",
      "XRANGE s (9007199254740993-9007199254740993 +",
      "XRANGE s 9007199254740993 9007199254740993",
      "XRANGE s (18446744073709551615-18446744073709551615 +",
      "XRANGE s (- +",
      "XRANGE s - (0-0",
      "XRANGE s - (+",
      "XRANGE s ( +",
      "XREVRANGE s + - COUNT 1",
      "XINFO STREAM s",
    ]));

  it("to wrong options", () =>
    oracle.expectSame(
      [
        "XADD s * a",
        "XADD s *",
        "XADD s MAXLEN 1 a 1",
        "XADD s MAXLEN 1 MINID 1 * a 1",
        "XADD s MAXLEN -1 * a 1",
        "XADD s MAXLEN ~ 1 LIMIT -1 * a 1",
        "XADD s MAXLEN 1 LIMIT 1 * a 1",
        "XADD s LIMIT 1 * a 1",
        "XADD s LIMIT 0 * a 1",
        "XADD s MAXLEN x * a 1",
        "XADD s MINID - * a 1",
        "XADD s NOMKSTREAM NOMKSTREAM 1-1 a 1",
        "EXISTS s",
        "XTRIM s MAXLEN",
        "XTRIM s LIMIT 5",
        "XTRIM s LIMIT 0",
        "XTRIM s MAXLEN 1 LIMIT 0",
        "XTRIM s MAXLEN = 1 x",
        "XTRIM s MAXLEN ~",
        "XREAD STREAMS s",
        "XREAD STREAMS s 0 s",
        "XREAD COUNT x STREAMS s 0",
        "XREAD COUNT -1 STREAMS s 0",
        "XREAD BLOCK -1 STREAMS s 0",
        "XREAD BLOCK x STREAMS s 0",
        "XREAD GROUP g c STREAMS s 0",
        "XREAD NOACK STREAMS s 0",
        "XREAD STREAMS s >",
        "XREAD COUNT 1 s 0",
        "XREADGROUP COUNT 1 NOACK STREAMS s 0",
        "XREADGROUP GROUP g c STREAMS s >",
        "XREADGROUP GROUP g c COUNT 1 BLOCK 1",
        "XADD s 1-1 a 1",
        "XGROUP CREATE s g 0",
        "XREADGROUP GROUP g c STREAMS s $",
        "XREADGROUP GROUP g c STREAMS s 18446744073709551615-18446744073709551615",
        "XGROUP CREATE s g 0",
        "XGROUP CREATE none g 0",
        "XGROUP CREATE none g x MKSTREAM",
        "XGROUP CREATE s h - ",
        "XGROUP CREATE s h 0 ENTRIESREAD -2",
        "XGROUP CREATE s h 0 ENTRIESREAD x",
        "XGROUP CREATE s h 0 BAD",
        "XGROUP CREATE s h 0 ENTRIESREAD 1 ENTRIESREAD 1",
        "XGROUP setid s g 0 MKSTREAM",
        "XGROUP SETID s h 0",
        "XGROUP SETID s g +",
        "XGROUP DESTROY none g",
        "XGROUP CREATECONSUMER s h c",
        "XGROUP BAD s g",
        "XGROUP CREATE s",
        "XGROUP",
        "XGROUP HELP",
        "XPENDING s h",
        "XPENDING s g - +",
        "XPENDING s g - + x",
        "XPENDING s g IDLE 1 - +",
        "XPENDING s g IDLE x - + 1",
        "XPENDING s g - + 10 c d e",
        "XPENDING s g + - 10",
        "XCLAIM s g c x 1-1",
        "XCLAIM s g c 0 BAD",
        "XCLAIM s g c 0 1-1 IDLE x",
        "XCLAIM s g c 0 1-1 TIME x",
        "XCLAIM s g c 0 1-1 RETRYCOUNT x",
        "XCLAIM s g c 0 1-1 LASTID x",
        "XCLAIM s g c 0 1-1 RETRYCOUNT 9223372036854775807 FORCE",
        "XCLAIM s g c 0 1-1",
        "XPENDING s g - + 10 c",
        "XCLAIM none g c 0 1-1",
        "XAUTOCLAIM s g c x 0",
        "XAUTOCLAIM s g c 0 x",
        "XAUTOCLAIM s g c 0 0 COUNT 0",
        "XAUTOCLAIM s g c 0 0 COUNT x",
        "XAUTOCLAIM s g c 0 0 BAD",
        "XAUTOCLAIM none g c 0 0",
        "XSETID s 0-1",
        "XSETID s 5-0 ENTRIESADDED 0",
        "XSETID s 5-0 ENTRIESADDED -1",
        "XSETID s 5-0 MAXDELETEDID 6-0",
        "XSETID s 5-0 BAD 1",
        "XSETID none 5-0",
        "XSETID s 5-0 ENTRIESADDED 9223372036854775807",
        "XADD s * a 1 b",
        "XADD s 6-0 a 1",
        "XINFO GROUPS s",
        "XINFO STREAM none",
        "XINFO STREAM s BAD",
        "XINFO STREAM s FULL COUNT",
        "XINFO STREAM s FULL COUNT x",
        "XINFO CONSUMERS s none",
        "XINFO HELP",
        "XINFO",
      ],
      { normalise: withoutTimes },
    ));

  it("with blocks that end where Redis's end", async () => {
    const lengths = [1, 63, 64, 100, 127, 128, 1000, 4095, 4096, 5000];
    const entries = Array.from({ length: 300 }, (_, i) => {
      const value = i % 2 === 0 ? `${(i - 150) ** 5}` : "x".repeat(lengths[(i >> 4) % lengths.length] as number);
      return ["XADD", "s", `${i + 1}-${i % 7}`, i % 3 === 0 ? "other" : "field", value];
    });
    const looks = [
      "XINFO STREAM s",
      "XTRIM s MAXLEN ~ 100 LIMIT 50",
      "XTRIM s MINID ~ 250",
      "XTRIM s MAXLEN 30",
      "XINFO STREAM s",
    ];
    await oracle.expectSame([...entries, ...looks, "CONFIG SET stream-node-max-entries 10", ...looks]);
    await oracle.expectSame(["CONFIG SET stream-node-max-entries 7 stream-node-max-bytes 0", ...entries, ...looks]);
    await oracle.expectSame(["CONFIG SET stream-node-max-entries 100 stream-node-max-bytes 4096"]);
  });

  it("in copies, encodings and COMMAND", () =>
    oracle.expectSame(
      [
        "XADD s 1-1 a 1 b 2",
        "XADD s 2-1 a 1 b 2",
        "XADD s 3-1 c 1",
        "XDEL s 2-1",
        "XGROUP CREATE s g 0",
        "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
        "XGROUP CREATECONSUMER s g d",
        "COPY s t",
        "XADD t 5-0 a 1",
        "XACK t g 1-1",
        "XINFO STREAM s FULL",
        "XINFO STREAM t FULL",
        "OBJECT ENCODING s",
        "TYPE s",
        "SORT s",
        "COMMAND GETKEYS XREAD COUNT 1 STREAMS a b 0 0",
        "COMMAND GETKEYS XREADGROUP GROUP STREAMS c NOACK STREAMS a 0",
        "COMMAND GETKEYS XGROUP CREATE a g 0",
      ],
      { normalise: withoutTimes },
    ));
});

describe("streams report changes as Redis does", () => {
  const commands = [
    "XADD s 1-1 a 1",
    "XADD s MAXLEN 1 2-1 a 1",
    "XADD s NOMKSTREAM MAXLEN 5 3-1 a 1",
    "XSETID s 4-0",
    "XDEL s 2-1",
    "XDEL s 2-1",
    "XTRIM s MAXLEN 0",
    "XTRIM s MAXLEN 0",
    "XADD s 5-1 a 1",
    "XGROUP CREATE s g 0",
    "XGROUP CREATE new g 0 MKSTREAM",
    "XREADGROUP GROUP g c STREAMS s >",
    "XREADGROUP GROUP g d NOACK STREAMS s 0",
    "XCLAIM s g e 0 5-1",
    "XAUTOCLAIM s g f 0 0",
    "XACK s g 5-1",
    "XGROUP CREATECONSUMER s g c",
    "XGROUP CREATECONSUMER s g h",
    "XGROUP DELCONSUMER s g h",
    "XGROUP SETID s g 0",
    "XGROUP DESTROY s g",
    "COPY s t",
    "XREAD STREAMS none 0",
  ];

  it("by events", async () => {
    const [observer, writer] = await Promise.all([oracle.connect(3), oracle.connect()]);
    await writer.both("FLUSHALL");
    await writer.both("CONFIG SET notify-keyspace-events KEAmn");
    await observer.same("PSUBSCRIBE __key*__:*", { replies: 0 });
    for (const command of commands) {
      await writer.same(command);
      await observer.same("PING");
    }
    await writer.both("CONFIG SET notify-keyspace-events ''");
    observer.close();
    writer.close();
  });

  it("to watchers", async () => {
    const [watcher, writer] = await Promise.all([oracle.connect(), oracle.connect()]);
    await writer.both("FLUSHALL");
    for (const command of commands) {
      await watcher.same("WATCH s new");
      await writer.same(command);
      await watcher.same("MULTI");
      await watcher.same("PING");
      await watcher.same("EXEC");
    }
    watcher.close();
    writer.close();
  });
});
