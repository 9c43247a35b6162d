/**
 * Requests and replies. What could go wrong, and the test for each:
 * - several responders of a group handle one request ............... "exactly one of a group"
 * - a reply reaches another request, or a late one a newer request . "each gets its own reply", "a late reply is dropped"
 * - nobody answers, and it is waited for ........................... "no-responders at once"
 * - the handler goes on for nobody ................................. "the deadline", "the abort"
 * - a handler's error shows a secret, or nothing of a refusal ...... "a handler that throws"
 * - a refusal that cannot be sent, an onError that rejects, or what
 *   is no request ends the process, or hangs ...................... "never by a handler's refusal", "what is none"
 * - one whose lease has ended is still asked ...................... "whose lease has ended"
 * - a responder takes more than it can ............................. "busy"
 * - close cuts a request off, or takes new ones .................... "close"
 * - what cannot be read or sent hangs .............................. "schemas", "encrypted"
 * - a registration is lost with its server's memory ................ "FLUSHALL"
 * - faults of connections .......................................... faults.test.ts
 */
import { randomBytes, randomUUID } from "node:crypto";
import { inspect } from "node:util";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Inbox } from "../../../test/conformance/support.ts";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { AbortedError, CodecError, OutcomeUnknownError } from "../../base/errors.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { ChannelRequestOptions } from "./options.ts";
import { ChannelReplyError } from "./reply-error.ts";

const numbers: StandardSchemaV1<unknown, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => (typeof value === "number" ? { value } : { issues: [{ message: "not a number" }] }),
  },
};
const moduleOf = (body: string): URL => new URL(`data:text/javascript,${encodeURIComponent(body)}`);
const LONG = { timeout: "1m" } as const;
const SECRET = "planted-secret";

describe.each(backends())("requests [$name]", ({ name: backend, url, options }) => {
  const prefix = `t${randomUUID()}`;
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(async () => {
    [a, b] = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });
  afterAll(() => Promise.all([a.close(), b.close()]));

  function namesOf(channel: string): { readonly responders: string; readonly to: string } {
    const head = `${prefix}:request:{${channel}}`;
    return { responders: `${head}:group:default`, to: `${head}:to` };
  }

  it("each gets its own reply, in whatever order they are made", async () => {
    const name = randomUUID();
    await using _ = await b.channel<number, number>(name).respond(
      async (message) => {
        await new Promise((resolve) => setTimeout(resolve, message % 7));
        return message * 2;
      },
      { concurrency: 50 },
    );
    const channel = a.channel<number, number>(name);
    const sent = Array.from({ length: 200 }, (_each, at) => at);
    const results = await Promise.all(sent.map((each) => channel.request(each, LONG)));
    expect(results).toEqual(sent.map((each) => ({ status: "ok", reply: each * 2 })));
  });

  it("exactly one of a group handles each request, and all of them get some", async () => {
    const name = randomUUID();
    const counts = [0, 0, 0];
    const handled: number[] = [];
    const responders = await Promise.all(
      [a, b, b].map((handle, at) =>
        handle.channel<number, number>(name).respond((message) => {
          counts[at] = counts[at]! + 1;
          handled.push(message);
          return at;
        }),
      ),
    );
    const channel = a.channel<number, number>(name);
    const sent = Array.from({ length: 90 }, (_each, at) => at);
    await Promise.all(sent.map((each) => channel.request(each, LONG)));
    expect(handled.toSorted((one, other) => one - other)).toEqual(sent);
    for (const count of counts) expect(count).toBeGreaterThan(10);
    await Promise.all(responders.map((each) => each.close()));
  });

  it("no-responders at once: where there was none, another group's only, or the last was closed", async () => {
    const channel = a.channel<number, number>(randomUUID());
    expect(await channel.request(1, LONG)).toEqual({ status: "no-responders" });
    const responder = await b.channel(channel.name).respond(() => 1, { group: "other" });
    expect(await channel.request(1, LONG)).toEqual({ status: "no-responders" });
    expect(await channel.request(1, { ...LONG, group: "other" })).toEqual({ status: "ok", reply: 1 });
    await responder.close();
    expect(await channel.request(1, { ...LONG, group: "other" })).toEqual({ status: "no-responders" });
    expect(await channel.requestAll(1, LONG)).toEqual(new Map());
  });

  it("requestAll asks one of each group, and says whose reply is unknown", async () => {
    const channel = a.channel<number, string>(randomUUID());
    const say = (text: string) => (): string => text;
    await using _1 = await b.channel<number, string>(channel.name).respond(say("x"), { group: "x" });
    await using _2 = await b.channel<number, string>(channel.name).respond(say("x"), { group: "x" });
    await using _3 = await a.channel<number, string>(channel.name).respond(say("y"), { group: "y" });
    await using _4 = await b
      .channel<number, string>(channel.name)
      .respond(
        (_message, { signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve("late"))),
        {
          group: "slow",
        },
      );
    expect(await channel.requestAll(1, { timeout: 1_000 })).toEqual(
      new Map<string, unknown>([
        ["slow", { status: "unknown" }],
        ["x", { status: "ok", reply: "x" }],
        ["y", { status: "ok", reply: "y" }],
      ]),
    );
  });

  it("the deadline travels: the handler's signal fires, its outcome is unknown, and a late reply is dropped", async () => {
    const channel = a.channel<number, number>(randomUUID());
    const ended = new Inbox<string>();
    await using _ = await b.channel<number, number>(channel.name).respond(async (message, { signal, timeoutMs }) => {
      expect(timeoutMs).toBeGreaterThan(0);
      if (message > 1) return message;
      expect(timeoutMs).toBeLessThanOrEqual(300);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended.put((signal.reason as Error).name);
      return message;
    });
    const error = await channel.request(1, { timeout: 300 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect((error as Error).message).toContain("no reply came within 300 ms");
    expect(await ended.find()).toBe("TimeoutError");
    expect(await channel.request(2, LONG)).toEqual({ status: "ok", reply: 2 });
  });

  it("the abort travels", async () => {
    const channel = a.channel<number, number>(randomUUID());
    const [begun, ended] = [new Inbox<number>(), new Inbox<string>()];
    await using _ = await b.channel<number, number>(channel.name).respond(async (message, { signal }) => {
      begun.put(message);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended.put((signal.reason as Error).name);
      return message;
    });
    const controller = new AbortController();
    const asked = channel.request(1, { ...LONG, signal: controller.signal });
    await begun.find();
    controller.abort(new Error("enough"));
    await expect(asked).rejects.toMatchObject({ code: "ABORTED", cause: { message: "enough" } });
    expect(await ended.find()).toBe("AbortedError");
    await expect(channel.request(1, { signal: controller.signal })).rejects.toBeInstanceOf(AbortedError);
  });

  it("a handler that throws: its refusal reaches the sender, and nothing of any other error", async () => {
    const channel = a.channel<string, number>(randomUUID());
    const failures = new Inbox<unknown>();
    await using _ = await b.channel<string, number>(channel.name).respond(
      (message) => {
        if (message === "refuse") throw new ChannelReplyError("sold-out", "no seats left");
        throw new Error(`${SECRET} in ${message}`);
      },
      { onError: (error) => failures.put(error) },
    );
    expect(await channel.request("refuse", LONG)).toEqual({
      status: "failed",
      code: "sold-out",
      message: "no seats left",
    });
    const failed = await channel.request("fail", LONG);
    expect(failed).toEqual({ status: "failed", code: "internal", message: "the handler failed" });
    expect(failures.all).toMatchObject([{ message: `${SECRET} in fail` }]);
  });

  it("a refusal that cannot be sent, and an onError that rejects, are a failed request and nothing more", async () => {
    const channel = a.channel<number, number>(randomUUID());
    await using _ = await b.channel<number, number>(channel.name).respond(
      () => {
        throw Object.assign(new ChannelReplyError("sold-out", ""), { message: () => SECRET });
      },
      { onError: () => Promise.reject(new Error("onError")) as never },
    );
    for (let each = 0; each < 2; each += 1)
      expect(await channel.request(each, LONG)).toEqual({
        status: "failed",
        code: "internal",
        message: "the handler failed",
      });
  });

  it("what is no request is dropped, and the next one is answered", async () => {
    const channel = a.channel<number, number>(randomUUID());
    await using _ = await b.channel<number, number>(channel.name).respond((message) => message);
    const { responders, to } = namesOf(channel.name);
    const call = { op: "test", class: "idempotent" } as const;
    const [id] = (await a.driver.send(["ZRANGE", responders, "0", "-1"], call, responders)) as Buffer[];
    for (const frame of ["", "ask", "ask  1 1000\n1", "ask a/b 1 1000\n1", "end  1\n", "ask x y z\n"])
      await a.driver.send(["SPUBLISH", `${to}:${String(id)}`, frame], call, responders);
    expect(await channel.request(1, LONG)).toEqual({ status: "ok", reply: 1 });
  });

  it("a responder whose lease has ended is not asked, though its connection seems to be there", async () => {
    const channel = a.channel<number, number>(randomUUID());
    await using _ = await b.channel<number, number>(channel.name).respond((message) => message, { lease: "1h" });
    const { responders, to } = namesOf(channel.name);
    const call = { op: "test", class: "idempotent" } as const;
    let asked = 0;
    const listener = { message: () => void (asked += 1), gap: () => undefined };
    const ghost = await b.driver.subscribe("sharded", `${to}:ghost`, listener, call);
    await a.driver.send(["ZADD", responders, String(Date.now() - 60_000), "ghost"], call, responders);
    for (const each of [1, 2, 3, 4]) expect(await channel.request(each, LONG)).toEqual({ status: "ok", reply: each });
    expect(asked).toBe(0);
    await ghost.close();
  });

  it("busy: what is beyond the queue's capacity is refused, not begun", async () => {
    const channel = a.channel<number, number>(randomUUID());
    const begun = new Inbox<number>();
    let open!: () => void;
    const opened = new Promise<void>((resolve) => (open = resolve));
    await using _ = await b.channel<number, number>(channel.name).respond(
      async (message) => {
        begun.put(message);
        await opened;
        return message;
      },
      { concurrency: 1, capacity: 1 },
    );
    const first = channel.request(1, LONG);
    await begun.find();
    const results = [channel.request(2, LONG), channel.request(3, LONG)];
    expect(await Promise.race(results)).toEqual({ status: "busy" });
    open();
    expect(await Promise.all([first, ...results])).toEqual([
      { status: "ok", reply: 1 },
      { status: "ok", reply: 2 },
      { status: "busy" },
    ]);
    expect(begun.all).toEqual([1, 2]);
  });

  it("schemas are checked on both sides, and nobody hangs", async () => {
    const name = randomUUID();
    const asking = a.channel<number, number>(name, { schema: numbers, reply: numbers });
    const failures = new Inbox<unknown>();
    const onError = (error: unknown): void => failures.put(error);
    const answering = b.channel<number, number>(name, { schema: numbers, reply: numbers });
    await using _ = await answering.respond((message) => (message === 1 ? "x" : message) as number, { onError });
    await expect(asking.request("x" as never, LONG)).rejects.toBeInstanceOf(CodecError);
    expect(await asking.request(2, LONG)).toEqual({ status: "ok", reply: 2 });
    expect(await asking.request(1, LONG)).toMatchObject({ status: "failed", code: "bad-reply" });
    expect(await a.channel<string>(name).request("x", LONG)).toMatchObject({ status: "failed", code: "bad-request" });
    expect(failures.all.map((error) => (error as CodecError).reason)).toEqual(["validation", "validation"]);
    await using _loose = await b.channel(name).respond(() => SECRET, { group: "loose" });
    const wrong = await asking.request(1, { ...LONG, group: "loose" }).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(CodecError);
    expect(inspect(wrong)).not.toContain(SECRET);
  });

  it("encrypted: requests, replies and refusals open where the key is", async () => {
    const encrypt = { current: "k1", keys: { k1: randomBytes(32) } };
    const name = randomUUID();
    const answering = b.channel<string, string>(name, { encrypt });
    await using _ = await answering.respond(
      (message) => {
        if (message === "no") throw new ChannelReplyError("no", "refused");
        return `${message}!`;
      },
      { onError: () => undefined },
    );
    const asking = a.channel<string, string>(name, { encrypt });
    expect(await asking.request("yes", LONG)).toEqual({ status: "ok", reply: "yes!" });
    expect(await asking.request("no", LONG)).toEqual({ status: "failed", code: "no", message: "refused" });
    await expect(a.channel<string>(name).request("yes", LONG)).rejects.toBeInstanceOf(CodecError);
  });

  it("handlers in threads answer, refuse and fail", async () => {
    const name = randomUUID();
    const handler = moduleOf(`export default (message, { group, timeoutMs }) => {
      if (message === "refuse") throw Object.assign(new Error("no"), { name: "ChannelReplyError", code: "never" });
      if (message === "fail") throw new Error("${SECRET}");
      return [message, group, timeoutMs > 0];
    };`);
    await using _ = await b.channel(name).respond(handler, { threads: 2, group: "t", onError: () => undefined });
    const channel = a.channel<string>(name);
    const ask = (message: string): Promise<unknown> => channel.request(message, { ...LONG, group: "t" });
    expect(await ask("x")).toEqual({ status: "ok", reply: ["x", "t", true] });
    expect(await ask("refuse")).toEqual({ status: "failed", code: "never", message: "no" });
    expect(await ask("fail")).toMatchObject({ code: "internal" });
  });

  it("close answers what has come, takes nothing more, and is idempotent", async () => {
    const channel = a.channel<number, number>(randomUUID());
    const begun = new Inbox<number>();
    let open!: () => void;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const responder = await b.channel<number, number>(channel.name).respond(
      async (message) => {
        begun.put(message);
        await opened;
        return message;
      },
      { concurrency: 1 },
    );
    const asked = [1, 2].map((each) => channel.request(each, LONG));
    await begun.find();
    const closing = responder.close();
    const registry = `${prefix}:request:{${channel.name}}:group:default`;
    const registered = ["ZCARD", registry];
    const call = { op: "test", class: "read" } as const;
    await until("it is out of the registry", async () => (await a.driver.send(registered, call, registry)) === 0);
    expect(await channel.request(3, LONG)).toEqual({ status: "no-responders" });
    open();
    await Promise.all([closing, responder.close(), responder[Symbol.asyncDispose]()]);
    expect(await Promise.all(asked)).toEqual([1, 2].map((reply) => ({ status: "ok", reply })));
    expect(begun.all).toEqual([1, 2]);
  });

  it("close does not wait for ever: what was not begun is busy, and the handler's signal fires", async () => {
    const channel = a.channel<number, number>(randomUUID());
    const signals = new Inbox<AbortSignal>();
    const hang = (_message: number, { signal }: { signal: AbortSignal }): Promise<number> => {
      signals.put(signal);
      return new Promise(() => undefined);
    };
    const settings = { concurrency: 1, closeTimeout: 300 };
    const responder = await b.channel<number, number>(channel.name).respond(hang, settings);
    const first = channel.request(1, { timeout: 3_000 });
    const second = channel.request(2, { timeout: 3_000 });
    const outcomes = Promise.allSettled([first, second]);
    const signal = await signals.find();
    await responder.close();
    expect(signal.aborted).toBe(true);
    const settled = (await outcomes).map((each) => (each.status === "fulfilled" ? each.value : each.reason.code));
    expect(settled).toEqual(["OUTCOME_UNKNOWN", { status: "busy" }]);
  });

  it("requests and messages of a channel do not meet, and names are theirs", async () => {
    const name = `${randomUUID()}{x}:%`;
    const got = new Inbox<unknown>();
    await using _all = await b.channels("*").subscribe(got.put);
    await using _ = await b.channel(name).respond(() => 1, { group: "a{b}:%" });
    expect(await a.channel(name).request(1, { ...LONG, group: "a{b}:%" })).toMatchObject({ status: "ok" });
    await a.channel(name).publish("message");
    await got.find();
    expect(got.all).toEqual(["message"]);
  });

  it("the end of the handle ends its requests: nobody knows their outcome", async () => {
    const hf = await connect(url, { ...options, prefix });
    const name = randomUUID();
    const begun = new Inbox<number>();
    await using _ = await b.channel<number, number>(name).respond(
      (message) => {
        begun.put(message);
        return new Promise(() => undefined);
      },
      { closeTimeout: 1 },
    );
    const asked = hf.channel<number, number>(name).request(1, LONG);
    const outcome = asked.catch((error: unknown) => error);
    await begun.find();
    await hf.close();
    expect(await outcome).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    await expect(hf.channel(name).request(1)).rejects.toMatchObject({ code: "CLOSED" });
    await expect(hf.channel(name).respond(() => 1)).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("a registration that was lost (FLUSHALL, eviction) is made again by whoever asks", async () => {
    const channel = a.channel<number, number>(randomUUID());
    await using _ = await b.channel<number, number>(channel.name).respond((message) => message, { lease: "1h" });
    const keys: Buffer[] = [];
    for await (const page of a.scan("request:")) for (const key of page) keys.push(Buffer.from(key));
    const own = keys.map(String).filter((key) => key.includes(channel.name));
    expect(own).toHaveLength(2);
    const forget = { op: "test", class: "idempotent" } as const;
    await a.driver.send(["DEL", ...own], forget, own[0]);
    expect(await channel.request(1, LONG)).toEqual({ status: "ok", reply: 1 });
    await a.driver.send(["DEL", ...own], forget, own[0]);
    expect(await channel.requestAll(2, LONG)).toEqual(new Map([["default", { status: "ok", reply: 2 }]]));
  });

  it("a responder whose lease has ended is asked no more", async () => {
    const channel = a.channel<number, number>(randomUUID());
    await using _ = await b.channel<number, number>(channel.name).respond((message) => message);
    // One that is connected and was registered, and is silent since: its machine is gone without a word.
    const key = `${prefix}:request:{${channel.name}}`;
    const listener = { message: () => undefined, gap: () => undefined };
    const call = { op: "test", class: "idempotent" } as const;
    const dead = await b.driver.subscribe("sharded", `${key}:to:dead`, listener, call);
    await b.driver.send(["ZADD", `${key}:group:default`, "1", "dead"], call, key);
    await using _other = await b.channel<number, number>(channel.name).respond((message) => message);
    for (const each of [1, 2, 3, 4]) expect(await channel.request(each, LONG)).toEqual({ status: "ok", reply: each });
    await dead.close();
  });

  it.runIf(backend === "standalone" || backend === "embedded")("bad input is refused at the door", async () => {
    const channel = a.channel<number, number>("x");
    const refused: [ChannelRequestOptions, string][] = [
      [{ timeout: "soon" as never }, "timeout"],
      [{ signal: 1 as never }, "signal"],
      [{ group: "" }, "group"],
      [{ retries: 1 } as object, "retries"],
    ];
    for (const [given, field] of refused) {
      await expect(channel.request(1, given)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field });
      await expect(channel.request(1, given)).rejects.toThrow(/^channel "x": /);
    }
    await expect(channel.requestAll(1, { group: "x" } as object)).rejects.toMatchObject({ field: "group" });
    for (const [given, field] of [
      [{ concurrency: 0 }, "concurrency"],
      [{ capacity: -1 }, "capacity"],
      [{ lease: 1 }, "lease"],
      [{ threads: 1 }, "threads"],
      [{ onError: 1 as never }, "onError"],
    ] as const)
      await expect(channel.respond(() => 1, given)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field });
    await expect(channel.respond("x" as never)).rejects.toMatchObject({ field: "handler" });
    expect(() => new ChannelReplyError("", "x")).toThrow("code");
  });
});
