/**
 * Handlers of a channel in threads. What could go wrong, and the test for each:
 * - it is not given its message, or its channel's name ............. "runs a module's handler"
 * - messages of one thread are out of order ........................ the same
 * - a handler that takes the processor holds up the main loop ...... "the main loop goes on"
 * - it cannot be stopped, or its thread is left behind .............. "close ends a handler"
 * - what is no module is taken for one ............................. "refuses"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Inbox } from "../../test/conformance/support.ts";
import { backends } from "../../test/support/backends.ts";
import type { Holdfast } from "../holdfast.ts";
import { connect } from "../connect.ts";

const moduleOf = (body: string): URL => new URL(`data:text/javascript,${encodeURIComponent(body)}`);
/** What a thread can report by: its errors. */
const SAYS = moduleOf(
  "export default (message, { channel, signal }) => { throw new Error(`${channel} ${message} ${signal.aborted}`); };",
);
const SPINS = moduleOf("export default () => { for (;;); };");

describe.each(backends("standalone", "embedded"))("channel handlers in threads [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `t${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it("runs a module's handler, one message at a time, in order", async () => {
    const name = randomUUID();
    const said = new Inbox<string>();
    const onError = (error: unknown): void => said.put((error as Error).message);
    const channel = hf.channel<number>(name);
    await using _one = await channel.subscribe(SAYS, { onError });
    await Promise.all([1, 2, 3].map((each) => channel.publish(each)));
    await said.find((line) => line.includes(" 3 "));
    expect(said.all).toEqual([1, 2, 3].map((each) => `${name} ${each} false`));
  });

  it("of a pattern too, and several at a time", async () => {
    const name = randomUUID();
    const said = new Inbox<string>();
    const onError = (error: unknown): void => said.put((error as Error).message);
    await using _all = await hf.channels<number>(`${name}.*`).subscribe(SAYS, { threads: 2, onError });
    await hf.channel<number>(`${name}.a`).publish(1);
    await hf.channel<number>(`${name}.b`).publish(2);
    await said.find(() => said.all.length === 2);
    expect(said.all.toSorted()).toEqual([`${name}.a 1 false`, `${name}.b 2 false`]);
  });

  it("the main loop goes on while a handler takes the processor; close ends it", async () => {
    const name = randomUUID();
    const got = new Inbox<number>();
    const channel = hf.channel<number>(name);
    const failures = new Inbox<unknown>();
    const spinning = await channel.subscribe(SPINS, { closeTimeout: 1, onError: (error) => failures.put(error) });
    await using _ = await channel.subscribe(got.put);
    await channel.publish(1);
    await channel.publish(2);
    await got.find((message) => message === 2);
    await spinning.close();
    expect((await failures.find()) as Error).toBeInstanceOf(Error);
  });

  it.each<[unknown, object, string]>([
    [new URL("https://example.com/x.js"), {}, "handler: expected a file: URL"],
    ["./x.js", {}, "handler: expected a function, or the URL of a module"],
    [() => 1, { threads: 2 }, "threads: expected the URL of a module beside it"],
    [SAYS, { threads: 0 }, "threads: expected a whole number from 1 to 256"],
  ])("refuses %s with %j", async (handler, given, message) => {
    await expect(hf.channel("mails").subscribe(handler as URL, given)).rejects.toThrow(`channel "mails": ${message}`);
  });
});
