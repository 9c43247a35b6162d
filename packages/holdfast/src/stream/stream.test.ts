/**
 * What could go wrong, and the test for each:
 * - a reader misses a chunk, or sees one twice, where history becomes live ... "history, then live: each chunk once and in order"
 * - a page that was reloaded begins again, or has a hole ..................... "goes on behind a position, in any process"
 * - the end is seen before the last chunk ..................................... the same two
 * - two producers write into one answer ....................................... "one producer: a second start finds the first"
 * - a producer that dies leaves readers waiting for ever ...................... "aborted, when its producer has died"
 * - nobody can go on with what it began ....................................... "another goes on with a higher fence; the first is stale"
 * - an end, or an answer to it, comes twice ................................... "is over once"
 * - a chunk too many fills the server ......................................... "full"
 * - a stream under the id of an old one is taken for its continuation ......... "reset"
 * - a reader waits for ever for what nobody begins ............................ "missing"
 * - what the server has lost is taken for whole ............................... "lost keys", "another stream under the same id"
 * - a source that fails looks like one that has ended ......................... "pipe"
 * - bytes come out as something else, encrypted chunks are readable ........... "by its codec"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import type { StreamEvent } from "./reader.ts";
import type { Stream } from "./stream.ts";
import type { StreamWriter } from "./writer.ts";

describe.each(backends())("stream [$name]", (backend) => {
  const two = new TwoHandles(backend);

  async function begun<T>(stream: Stream<T>): Promise<StreamWriter<T>> {
    const started = await stream.start();
    if (started.status !== "ok") throw new Error(`not started: ${started.status}`);
    return started.writer;
  }
  async function all<T>(events: AsyncIterable<StreamEvent<T>>): Promise<StreamEvent<T>[]> {
    const seen: StreamEvent<T>[] = [];
    for await (const event of events) seen.push(event);
    return seen;
  }
  const plain = (events: readonly StreamEvent<unknown>[]): unknown[] =>
    events.map((event) => (event.type === "chunk" ? event.value : event));
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

  it("history, then live: each chunk once and in order, then the end", async () => {
    const [ours, theirs] = [two.a.stream<number>(randomName()), two.b.stream<number>("x")];
    const same = two.b.stream<number>(ours.id);
    const early = all(same.read());
    const writer = await begun(ours);
    await Promise.all(numbers(700).map((n) => writer.write(n)));
    const later = all(same.read());
    for (let n = 700; n < 720; n += 1) await writer.write(n);
    const latest = all(ours.read());
    void writer.write(720);
    expect(await writer.end()).toEqual({ status: "ok" });
    for (const events of await Promise.all([early, later, latest, all(same.read())]))
      expect(plain(events)).toEqual([...numbers(721), { type: "end" }]);
    expect(theirs.id).toBe("x");
  });

  it("goes on behind a position, in any process, also at the very end", async () => {
    const stream = two.a.stream<string>(randomName());
    await stream.pipe(["a", "b", "c"]);
    const events = await all(stream.read());
    const positions = events.flatMap((event) => (event.type === "chunk" ? [event.position] : []));
    const from = (place: number) => all(two.b.stream<string>(stream.id).read({ from: positions[place]! }));
    expect(plain(await from(0))).toEqual(["b", "c", { type: "end" }]);
    expect(plain(await from(2))).toEqual([{ type: "end" }]);
  });

  it("one producer: a second start finds the first, until it has ended", async () => {
    const stream = two.a.stream<number>(randomName());
    const writer = await begun(stream);
    expect(await two.b.stream(stream.id).start()).toMatchObject({ status: "busy", leftMs: expect.any(Number) });
    await writer.end();
    expect(await two.b.stream(stream.id).start()).toEqual({ status: "over", as: "end" });
  });

  it("another goes on with a higher fence; the first is stale, and readers see one answer", async () => {
    const id = randomName();
    const options = { lease: "60s", takeover: "30s" } as const;
    const [ours, theirs] = [two.a.stream<number>(id, options), two.b.stream<number>(id, options)];
    const reading = all(ours.read());
    const first = await begun(ours);
    await first.write(1);
    // As its death leaves it: the lease is over on the server, and the producer does not know.
    await two.send("HSET", `${two.prefix}:stream:{${id}}:state`, "until", "1");
    const second = await begun(theirs);
    expect(second.fence).toBeGreaterThan(first.fence);
    expect(second.resumedAt).toBe(1);
    expect(await first.write(2)).toEqual({ status: "stale" });
    expect(await first.end()).toEqual({ status: "stale" });
    expect(await second.write(3)).toMatchObject({ status: "ok" });
    await second.end();
    expect(plain(await reading)).toEqual([1, 3, { type: "end" }]);
  });

  it("aborted, when its producer has died and nobody goes on; then it is over", async () => {
    // The reader's lease says when it asks; the producer's is so long that a slow machine does not lose it.
    const stream = two.b.stream<number>(randomName(), { lease: 100, takeover: 20 });
    const dying = await two.another();
    const writer = await begun(dying.stream<number>(stream.id, { lease: "60s" }));
    await writer.write(1);
    const reading = all(stream.read());
    // It leaves it to others; one that is killed is taken for dead when its lease is over.
    await dying.close();
    expect(plain(await reading)).toEqual([1, { type: "aborted", reason: "the producer died" }]);
    expect(await stream.start()).toEqual({ status: "over", as: "aborted" });
    expect(plain(await all(stream.read()))).toEqual([1, { type: "aborted", reason: "the producer died" }]);
  });

  it("is over once: an end is not aborted, and what comes behind it is stale", async () => {
    const stream = two.a.stream<number>(randomName());
    const writer = await begun(stream);
    void writer.write(1);
    const [end, abort] = await Promise.all([writer.end(), writer.abort("too late")]);
    expect([end, abort]).toEqual([{ status: "ok" }, { status: "ok" }]);
    expect(await writer.write(2)).toEqual({ status: "stale" });
    expect(plain(await all(stream.read()))).toEqual([1, { type: "end" }]);
  });

  it("abort says why, behind the last chunk; a block that is left early aborts", async () => {
    const [broken, left] = [two.a.stream<number>(randomName()), two.a.stream<number>(randomName())];
    const writer = await begun(broken);
    void writer.write(1);
    await writer.abort("out of credit");
    expect(plain(await all(broken.read()))).toEqual([1, { type: "aborted", reason: "out of credit" }]);
    {
      await using other = await begun(left);
      await other.write(1);
    }
    expect(plain(await all(left.read()))).toEqual([1, { type: "aborted", reason: "the producer gave it up" }]);
  });

  it("full: no more than `maxBytes`, and an end still fits", async () => {
    const stream = two.a.stream<string>(randomName(), { maxBytes: 500 });
    const writer = await begun(stream);
    expect(await writer.write("x".repeat(300))).toMatchObject({ status: "ok" });
    expect(await writer.write("y".repeat(300))).toEqual({ status: "full" });
    expect(await writer.write("z")).toMatchObject({ status: "ok" });
    await writer.end();
    expect(plain(await all(stream.read()))).toEqual(["x".repeat(300), "z", { type: "end" }]);
    expect(await two.a.stream<string>(randomName(), { maxBytes: 500 }).pipe(["x".repeat(600)])).toEqual({
      status: "full",
    });
  });

  it("reset: a stream that was begun again under its id is no continuation", async () => {
    const stream = two.a.stream<string>(randomName());
    await stream.pipe(["old 1", "old 2"]);
    const [first] = await all(stream.read());
    for (const key of await two.keys(`stream:{${stream.id}}`)) await two.send("DEL", key);
    // Epochs are milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 2));
    await stream.pipe(["new 1"]);
    const from = first!.type === "chunk" ? first!.position : "";
    expect(plain(await all(stream.read({ from })))).toEqual([{ type: "reset" }, "new 1", { type: "end" }]);
  });

  it("missing: what nobody begins is waited for no longer than `wait`; what is begun meanwhile is read", async () => {
    const stream = two.a.stream<string>(randomName());
    expect(await all(stream.read({ wait: 20 }))).toEqual([{ type: "missing" }]);
    const reading = all(stream.read({ wait: "60s" }));
    await two.b.stream<string>(stream.id).pipe(["late"]);
    expect(plain(await reading)).toEqual(["late", { type: "end" }]);
  });

  it("lost keys are never taken for a whole stream", async () => {
    const stream = two.a.stream<string>(randomName());
    await stream.pipe(["a", "b"]);
    await two.send("DEL", `${two.prefix}:stream:{${stream.id}}:log`);
    const events = await all(stream.read());
    expect(events.at(-1)).toMatchObject({ type: "aborted" });
    const gone = two.a.stream<string>(randomName());
    const writer = await begun(gone);
    for (const key of await two.keys(`stream:{${gone.id}}`)) await two.send("DEL", key);
    expect(await writer.write("a")).toEqual({ status: "stale" });
  });

  it("another stream under the same id, as long as what was read, is not taken for its end", async () => {
    const stream = two.a.stream<string>(randomName(), { lease: 100, takeover: 20 });
    const writer = await begun(two.b.stream<string>(stream.id, { lease: "60s" }));
    const events = stream.read();
    await writer.write("a");
    await writer.write("b");
    expect([(await events.next()).value, (await events.next()).value]).toMatchObject([{ value: "a" }, { value: "b" }]);
    const third = events.next();
    // It has asked the log meanwhile, and is in no doubt; where it is not so far yet, it is told `reset`.
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Begun again and ended without a word to this reader.
    const key = `${two.prefix}:stream:{${stream.id}}`;
    await two.send("HSET", `${key}:meta`, "epoch", "1");
    await two.send("HSET", `${key}:state`, "status", "end");
    expect(["aborted", "reset"]).toContain((await third).value?.type);
    await writer.close();
  });

  it("pipe: writes what the source yields; where it throws the stream is aborted, and the caller gets the error", async () => {
    const stream = two.a.stream<number>(randomName());
    const failure = new Error("the model is overloaded");
    const failing = stream.pipe(async function* () {
      yield 1;
      throw failure;
    });
    await expect(failing).rejects.toBe(failure);
    expect(plain(await all(stream.read()))).toEqual([1, { type: "aborted", reason: "its source failed" }]);
    expect(await stream.pipe([2])).toEqual({ status: "over" });
    const values = stream.values();
    expect(await values.next()).toEqual({ value: 1, done: false });
    await expect(values.next()).rejects.toThrow(HoldfastError);
  });

  it("by its codec: bytes as bytes, and encrypted where the codec says so", async () => {
    const bytes = two.a.stream<Uint8Array>(randomName(), { serializer: "bytes" });
    await bytes.pipe([new Uint8Array([0, 255])]);
    const [chunk] = await all(bytes.read());
    expect(chunk).toMatchObject({ type: "chunk", value: Buffer.from([0, 255]) });
    const encrypt = { keys: { k: "11".repeat(32) }, current: "k" };
    const secret = two.a.stream<{ text: string }>(randomName(), { encrypt });
    await secret.pipe([{ text: "hello" }]);
    expect(plain(await all(secret.read()))).toEqual([{ text: "hello" }, { type: "end" }]);
    await expect(all(two.a.stream<unknown>(secret.id).read())).rejects.toThrow(HoldfastError);
  });

  it("keeps everything for `ttl`, and nothing without an end", async () => {
    const stream = two.a.stream<string>(randomName(), { ttl: "1h" });
    const writer = await begun(stream);
    await writer.write("a");
    const keys = await two.keys(`stream:{${stream.id}}`);
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(Number(await two.send("PTTL", key))).toBeGreaterThan(3_500_000);
    await writer.end();
  });

  it("ends without an event at its signal, at `break` and with the handle", async () => {
    const stream = two.a.stream<string>(randomName());
    const writer = await begun(stream);
    await writer.write("a");
    const stop = new AbortController();
    for await (const event of stream.read({ signal: stop.signal })) {
      expect(event).toMatchObject({ value: "a" });
      stop.abort();
    }
    const third = await two.another();
    const reading = all(third.stream<string>(stream.id).read());
    await writer.write("b");
    await third.close();
    expect((await reading).every(({ type }) => type === "chunk")).toBe(true);
    await writer.end();
  });

  it("refuses bad options and positions by their names", () => {
    expect(() => two.a.stream("s", { lease: 5 })).toThrow(/stream "s": lease/);
    expect(() => two.a.stream("s", { ttl: "5s" })).toThrow(/ttl: expected a duration no shorter/);
    expect(() => two.a.stream("s").read({ from: "nonsense" })).toThrow(InvalidArgumentError);
    expect(() => two.a.stream("s").read({ form: "start" } as never)).toThrow(/did you mean "from"/);
  });
});
