/**
 * What could go wrong, and the test for each:
 * - messages arrive in another order, or twice .................... "in the order", "a burst"
 * - a message reaches the wrong channel or the wrong application ... "names", "another prefix", "sharded and plain"
 * - a name is taken for a pattern, or the other way round .......... "a name in a pattern", "names", model.test.ts
 * - a message that cannot be read ends the subscription ............ "cannot be decoded", "another schema", "encrypted"
 * - a bad message is sent at all ................................... "refused before it is sent"
 * - a handler's error is lost, or ends the subscription ............ handlers.test.ts: "a handler that fails"
 * - a slow consumer fills the memory, or loses without a word ...... handlers, stream and inbox.test.ts
 * - two handlers run at one time though order was asked for ........ handlers.test.ts: "one after the other"
 * - close() cuts a handler off, waits for ever, or is too late ..... handlers.test.ts: "close"
 * - the handler runs before its subscription is in hand ............ faults.test.ts: "in hand"
 * - a subscription stays on the server after its end ............... "leaves the server", stream.test.ts
 * - a message is quoted in an error .............................. "nothing of a message is in an error"
 * - the connection or the server is gone ........................... faults.test.ts
 */
import { randomBytes, randomUUID } from "node:crypto";
import { inspect } from "node:util";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Inbox } from "../../test/conformance/support.ts";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import { CodecError, HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { escapeGlob } from "../core/keyspace/scan.ts";
import type { ChannelRawMessage, ChannelSubscribeOptions } from "./options.ts";

interface Failure {
  readonly error: unknown;
  readonly message: ChannelRawMessage | undefined;
}

const numbers: StandardSchemaV1<unknown, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => (typeof value === "number" ? { value } : { issues: [{ message: "not a number" }] }),
  },
};

describe.each(backends())("channels [$name]", ({ url, options }) => {
  const prefix = `t${randomUUID()}`;
  let a: Holdfast;
  let b: Holdfast;

  beforeAll(async () => {
    a = await connect(url, { ...options, prefix });
    b = await connect(url, { ...options, prefix });
  });
  afterAll(() => Promise.all([a.close(), b.close()]));

  const fullName = (name: string): string => `${prefix}:channel:${name}`;
  /** As somebody who does not use this library sends it. */
  const publishRaw = (name: string, payload: string | Buffer): Promise<unknown> =>
    a.driver.send(["PUBLISH", fullName(name), payload], { op: "test", class: "unsafe" }, fullName(name));

  describe.each([false, true])("sharded: %s", (sharded) => {
    it("reach all who listen, in the order in which they were sent", async () => {
      const name = randomUUID();
      const [here, there] = [new Inbox<number>(), new Inbox<number>()];
      await using _here = await a.channel<number>(name, { sharded }).subscribe(here.put);
      await using _there = await b.channel<number>(name, { sharded }).subscribe(there.put);
      const sent = Array.from({ length: 300 }, (_, at) => at);
      const channel = a.channel<number>(name, { sharded });
      await Promise.all(sent.map((each) => channel.publish(each)));
      for (const got of [here, there]) {
        await got.find((each) => each === 299);
        expect(got.all).toEqual(sent);
      }
    });

    it.each(["a:b", "{x}y", "a*[b]?\\", "%7B", "ключ", "x y"])("names: %j", async (odd) => {
      const name = `${randomUUID()}${odd}`;
      const got = new Inbox<[unknown, string]>();
      const channel = b.channel(name, { sharded });
      await using _ = await a.channel(name, { sharded }).subscribe((message, { channel: from }) => {
        got.put([message, from]);
      });
      await b.channel(`${name}x`, { sharded }).publish("of another");
      await channel.publish("mine");
      await got.find();
      expect(got.all).toEqual([["mine", name]]);
    });

    it.each([[null], [undefined], [0], [""], [{ a: [1] }]])("the message %j", async (message) => {
      const name = randomUUID();
      const got = new Inbox<[unknown]>();
      await using _ = await a.channel(name, { sharded }).subscribe((each) => got.put([each]));
      await b.channel(name, { sharded }).publish(message);
      expect(await got.find()).toEqual([message]);
    });
  });

  it("reports how many subscriptions the server knows; those of one handle share one, and the last leaves the server", async () => {
    const name = randomUUID();
    // A sharded channel's subscribers are all on the node that answers, so the number is exact in a cluster too.
    const [here, there] = [a, b].map((handle) => handle.channel(name, { sharded: true }));
    expect(await here!.publish(1)).toBe(0);
    const first = await here!.subscribe(() => undefined);
    const second = await here!.subscribe(() => undefined);
    expect(await there!.publish(1)).toBe(1);
    const third = await there!.subscribe(() => undefined);
    expect(await there!.publish(1)).toBe(2);
    await Promise.all([first.close(), third.close()]);
    expect(await there!.publish(1)).toBe(1);
    await second.close();
    expect(await there!.publish(1)).toBe(0);
  });

  it.each([false, true])(
    "subscribers: connections of the whole deployment, by this name (sharded: %s)",
    async (sharded) => {
      const name = randomUUID();
      const channel = a.channel(name, { sharded });
      expect(await channel.subscribers()).toBe(0);
      await using _pattern = await a.channels(`${name}*`).subscribe(() => undefined);
      await using _other = await b.channel(`${name}x`, { sharded }).subscribe(() => undefined);
      const subscriptions = [await channel.subscribe(() => undefined), await channel.subscribe(() => undefined)];
      expect(await channel.subscribers()).toBe(1);
      await using _there = await b.channel(name, { sharded }).subscribe(() => undefined);
      expect(await channel.subscribers()).toBe(2);
      await Promise.all(subscriptions.map((each) => each.close()));
      expect(await channel.subscribers()).toBe(1);
    },
  );

  it("sharded and plain channels of one name are two", async () => {
    const name = randomUUID();
    const got = new Inbox<unknown>();
    await using _ = await a.channel(name).subscribe(got.put);
    await a.channel(name, { sharded: true }).publish("sharded");
    await a.channel(name).publish("plain");
    await got.find();
    expect(got.all).toEqual(["plain"]);
  });

  it("another prefix is another application", async () => {
    await using other = await connect(url, { ...options, prefix: `t${randomUUID()}` });
    const name = randomUUID();
    const got = new Inbox<unknown>();
    await using _one = await a.channel(name).subscribe(got.put);
    await using _all = await a.channels("*").subscribe((message, { channel }) => {
      if (channel === name) got.put(message);
    });
    await other.channel(name).publish("foreign");
    await a.channel(name).publish("own");
    await got.find(() => got.all.length === 2);
    expect(got.all).toEqual(["own", "own"]);
  });

  describe("patterns", () => {
    it("match names, and messages carry the channel's", async () => {
      const head = randomUUID();
      const got = new Inbox<string>();
      await using _ = await a.channels<number>(`${head}.*.delay`).subscribe((message, { channel }) => {
        got.put(`${channel.slice(head.length)} ${message}`);
      });
      await b.channel<number>(`${head}.UA1.delay`).publish(5);
      await b.channel<number>(`${head}.UA1.gate`).publish(6);
      await b.channel<number>(`${head}.UA2.delay`, { sharded: true }).publish(7);
      await b.channel<number>(`${head}.UA1.delay`).publish(8);
      await got.find((each) => each.endsWith("8"));
      expect(got.all).toEqual([".UA1.delay 5", ".UA1.delay 8"]);
    });

    it("a name in a pattern is escaped by escapeGlob", async () => {
      const name = `${randomUUID()}[1]*?\\`;
      const got = new Inbox<string>();
      await using _ = await a.channels(`${escapeGlob(name)}.*`).subscribe((_message, { channel }) => got.put(channel));
      await b.channel(`${name.replace("*", "x")}.a`).publish(1);
      await b.channel(`${name}.b`).publish(1);
      await got.find();
      expect(got.all).toEqual([`${name}.b`]);
    });
  });

  describe("what cannot be understood", () => {
    it("what cannot be decoded is reported with its bytes, and the next message is delivered", async () => {
      const name = randomUUID();
      const failures = new Inbox<Failure>();
      const got = new Inbox<unknown>();
      const onError = (error: unknown, message: ChannelRawMessage | undefined): void =>
        failures.put({ error, message });
      await using _ = await a.channel(name).subscribe(got.put, { onError });
      await publishRaw(name, "not ours");
      await a.channel(name).publish("ours");
      await got.find();
      expect(got.all).toEqual(["ours"]);
      expect(failures.all).toHaveLength(1);
      expect(failures.all[0]!.error).toBeInstanceOf(CodecError);
      expect(failures.all[0]!.message).toEqual({ channel: name, payload: Buffer.from("not ours") });
    });

    it("a message that does not match the schema is refused before it is sent", async () => {
      const name = randomUUID();
      const got = new Inbox<unknown>();
      await using _ = await a.channel(name).subscribe(got.put);
      const channel = b.channel<number>(name, { schema: numbers });
      await expect(channel.publish("x" as never)).rejects.toMatchObject({ code: "CODEC", reason: "validation" });
      await channel.publish(1);
      await got.find();
      expect(got.all).toEqual([1]);
    });

    it("nothing of a message is in an error about it", async () => {
      const name = randomUUID();
      const failures = new Inbox<unknown>();
      const secret = "planted-secret";
      const channel = a.channel<number>(name, { schema: numbers });
      await using _ = await channel.subscribe(() => undefined, { onError: (error) => failures.put(error) });
      await publishRaw(name, secret);
      await b.channel(name).publish({ [secret]: secret });
      await failures.find(() => failures.all.length === 2);
      failures.put(await channel.publish({ [secret]: secret } as never).catch((error: unknown) => error));
      failures.put(
        await a
          .channel(name)
          .publish([1n, secret])
          .catch((error: unknown) => error),
      );
      expect(failures.all).toHaveLength(4);
      for (const error of failures.all) expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
    });

    it("a message of another schema is reported", async () => {
      const name = randomUUID();
      const failures = new Inbox<unknown>();
      const got = new Inbox<number>();
      await using _ = await a
        .channel<number>(name, { schema: numbers })
        .subscribe(got.put, { onError: (error) => failures.put(error) });
      await b.channel(name).publish("x");
      await b.channel(name).publish(2);
      await got.find();
      expect(failures.all).toMatchObject([{ reason: "validation" }]);
      expect(got.all).toEqual([2]);
    });

    it("an encrypted message opens in its own channel only, by name and by pattern", async () => {
      const encrypt = { current: "k1", keys: { k1: randomBytes(32) } };
      const [name, other] = [randomUUID(), randomUUID()];
      const bytes = new Inbox<Buffer>();
      const got = new Inbox<unknown>();
      const failures = new Inbox<Failure>();
      const onError = (error: unknown, message: ChannelRawMessage | undefined): void =>
        failures.put({ error, message });
      await using _raw = await a.channel(name).subscribe(() => undefined, {
        onError: (_error, message) => bytes.put(message!.payload),
      });
      await using _one = await a.channel(name, { encrypt }).subscribe(got.put, { onError });
      await using _all = await a.channels(`${name}*`, { encrypt }).subscribe(got.put, { onError });
      await using _other = await a.channel(other, { encrypt }).subscribe(got.put, { onError });
      await b.channel(name, { encrypt }).publish("secret");
      await got.find(() => got.all.length === 2);
      expect(got.all).toEqual(["secret", "secret"]);
      await publishRaw(other, await bytes.find());
      expect((await failures.find()).error).toBeInstanceOf(CodecError);
      expect(failures.all.map(({ message }) => message?.channel)).toEqual([other]);
    });
  });

  it("bad input is refused at the door", async () => {
    const channel = a.channel("x");
    const invalid = (field: string): object => ({ code: "INVALID_ARGUMENT", field });
    expect(() => a.channel("")).toThrow(InvalidArgumentError);
    expect(() => a.channel("x".repeat(1025))).toThrow(InvalidArgumentError);
    expect(() => a.channels("")).toThrow(expect.objectContaining(invalid("pattern")));
    expect(() => a.channel("x", { sharded: 1 as never })).toThrow(expect.objectContaining(invalid("sharded")));
    expect(() => a.channel("x", { timeout: -1 })).toThrow(expect.objectContaining(invalid("timeout")));
    expect(() => channel.messages({ capacity: 0 })).toThrow(expect.objectContaining(invalid("capacity")));
    await expect(channel.subscribe(7 as never)).rejects.toMatchObject(invalid("handler"));
    const options = (misspelt: object): object => misspelt;
    expect(() => a.channel("x", options({ shard: true }))).toThrow(/^channel "x": shard: .*did you mean "sharded"/);
    expect(() => a.channels("x*", options({ sharded: true }))).toThrow(expect.objectContaining(invalid("sharded")));
    expect(() => a.channel("x", 500 as never)).toThrow(expect.objectContaining(invalid("options")));
    expect(() => channel.messages(options({ concurrency: 2 }))).toThrow(/^channel "x": concurrency: /);
    const refused: [ChannelSubscribeOptions, string][] = [
      [{ concurrency: 0 }, "concurrency"],
      [{ closeTimeout: "x" as never }, "closeTimeout"],
      [{ capacity: 1.5 }, "capacity"],
      [{ onOverflow: "drop" as never }, "onOverflow"],
      [{ onGap: 1 as never }, "onGap"],
      [{ onError: {} as never }, "onError"],
      [{ signal: {} as never }, "signal"],
      [{ capcity: 5 } as never, "capcity"],
      [5 as never, "options"],
    ];
    for (const [settings, field] of refused) {
      await expect(channel.subscribe(() => undefined, settings)).rejects.toMatchObject(invalid(field));
    }
    const undefinedOptions = { capacity: undefined, onOverflow: undefined, onGap: undefined, concurrency: undefined };
    await (await channel.subscribe(() => undefined, undefinedOptions as object)).close();
    await expect(channel.publish(1n)).rejects.toBeInstanceOf(HoldfastError);
  });
});
