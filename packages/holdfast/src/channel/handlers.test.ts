/**
 * What handlers may rely on. What could go wrong, and the test for each:
 * - a handler that fails is not reported, or ends the subscription .. "a handler that fails", "an error that nobody hears"
 * - two run at one time though order was asked for ................. "run one after the other"
 * - a slow one fills the memory, or loses without a word ........... "a slow handler"
 * - close() cuts it off, waits for ever, or is too late ............ "close"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Inbox } from "../../test/conformance/support.ts";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import { AbortedError, ClosedError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import type { ChannelGap, ChannelRawMessage, ChannelSubscribeOptions } from "./options.ts";

interface Failure {
  readonly error: unknown;
  readonly message: ChannelRawMessage | undefined;
}

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function gate(): Gate {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe.each(backends())("channel handlers [$name]", ({ url, options }) => {
  const prefix = `t${randomUUID()}`;
  let a: Holdfast;
  let b: Holdfast;

  beforeAll(async () => {
    a = await connect(url, { ...options, prefix });
    b = await connect(url, { ...options, prefix });
  });
  afterAll(() => Promise.all([a.close(), b.close()]));

  describe("handlers", () => {
    it.each([
      [
        "throws",
        (): never => {
          throw new Error("on purpose");
        },
      ],
      ["rejects", (): Promise<never> => Promise.reject(new Error("on purpose"))],
    ])("a handler that fails (%s) is reported, and goes on", async (_how, fail) => {
      const name = randomUUID();
      const failures = new Inbox<Failure>();
      const got = new Inbox<number>();
      const handler = (message: number): unknown => (message === 1 ? fail() : got.put(message));
      const onError = (error: unknown, message: ChannelRawMessage | undefined): void =>
        failures.put({ error, message });
      await using _ = await a.channel<number>(name).subscribe(handler, { onError });
      await a.channel<number>(name).publish(1);
      await a.channel<number>(name).publish(2);
      await got.find();
      expect(failures.all).toMatchObject([{ error: { message: "on purpose" }, message: { channel: name } }]);
    });

    it("an error that nobody hears is a process warning, once; so is one of onError itself", async () => {
      const warnings = new Inbox<Error>();
      process.on("warning", warnings.put);
      const name = randomUUID();
      const done = new Inbox<number>();
      const fail = (message: number): never => {
        done.put(message);
        throw new Error(`${name} failed`);
      };
      const onError = (): never => {
        throw new Error(`${name} failed to report`);
      };
      await using _quiet = await a.channel<number>(name).subscribe(fail);
      await using _loud = await a.channel<number>(name).subscribe(fail, { onError });
      for (const message of [1, 2, 3]) await a.channel<number>(name).publish(message);
      await done.find(() => done.all.filter((each) => each === 3).length === 2);
      await warnings.find(({ message }) => message.includes(`${name} failed\n`) || message.endsWith(`${name} failed`));
      await warnings.find(({ message }) => message.includes(`${name} failed to report`));
      process.off("warning", warnings.put);
      expect(warnings.all.filter(({ message }) => message.includes(name))).toHaveLength(2);
    });

    it("run one after the other unless asked otherwise", async () => {
      const name = randomUUID();
      const log = new Inbox<string>();
      await using _ = await a.channel<number>(name).subscribe(async (message) => {
        log.put(`begin ${message}`);
        await new Promise((resolve) => setImmediate(resolve));
        log.put(`end ${message}`);
      });
      await Promise.all([1, 2, 3].map((message) => b.channel<number>(name).publish(message)));
      await log.find((line) => line === "end 3");
      expect(log.all).toEqual(["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
    });

    it("with concurrency 3 at most three run at one time", async () => {
      const name = randomUUID();
      const { opened, open } = gate();
      const begun = new Inbox<number>();
      const done = new Inbox<number>();
      let running = 0;
      let most = 0;
      const handler = async (message: number): Promise<void> => {
        most = Math.max(most, (running += 1));
        begun.put(message);
        await opened;
        running -= 1;
        done.put(message);
      };
      await using _ = await a.channel<number>(name).subscribe(handler, { concurrency: 3 });
      for (const message of [1, 2, 3, 4, 5]) await a.channel<number>(name).publish(message);
      await begun.find((message) => message === 3);
      expect(begun.all).toEqual([1, 2, 3]);
      open();
      await done.find(() => done.all.length === 5);
      expect(most).toBe(3);
    });

    it("may end their own subscription", async () => {
      const name = randomUUID();
      const [seen, witness] = [new Inbox<number>(), new Inbox<number>()];
      const subscription = await a.channel<number>(name).subscribe((message) => {
        seen.put(message);
        void subscription.close();
      });
      await using _ = await a.channel<number>(name).subscribe(witness.put);
      for (const message of [1, 2]) await b.channel<number>(name).publish(message);
      await witness.find((message) => message === 2);
      await subscription.close();
      expect(seen.all).toEqual([1]);
    });
  });

  describe("a slow handler", () => {
    /** Three messages have come while the handler was busy with the first, and there is room for two. */
    async function overflow(settings: ChannelSubscribeOptions): Promise<{ log: unknown[]; failures: Inbox<unknown> }> {
      const name = randomUUID();
      const { opened, open } = gate();
      const [log, failures, arrived] = [new Inbox<unknown>(), new Inbox<unknown>(), new Inbox<number>()];
      const handler = async (message: number): Promise<void> => {
        log.put(message);
        if (message === 0) await opened;
      };
      const onGap = ({ dropped, disconnected }: ChannelGap): void => log.put({ dropped, disconnected });
      const onError = (error: unknown): void => failures.put(error);
      const channel = a.channel<number>(name);
      await using slow = await channel.subscribe(handler, { capacity: 2, onGap, onError, ...settings });
      await using _fast = await channel.subscribe(arrived.put);
      await channel.publish(0);
      await log.find();
      for (const message of [1, 2, 3, 4]) await channel.publish(message);
      // The listeners of one channel are called in turn, so the slow one has got it as well.
      await arrived.find((message) => message === 4);
      open();
      if (settings.onOverflow === "error") await failures.find();
      else {
        await channel.publish(5);
        await log.find((item) => item === 5);
      }
      await slow.close();
      return { log: log.all, failures };
    }

    it("loses the oldest, and is told where", async () => {
      const { log } = await overflow({});
      expect(log).toEqual([0, { dropped: 2, disconnected: false }, 3, 4, 5]);
    });

    it("or the newest", async () => {
      const { log } = await overflow({ onOverflow: "drop-newest" });
      expect(log).toEqual([0, 1, 2, { dropped: 2, disconnected: false }, 5]);
    });

    it("or ends after what it had", async () => {
      const { log, failures } = await overflow({ onOverflow: "error" });
      expect(log).toEqual([0, 1, 2]);
      expect(failures.all).toMatchObject([{ code: "OVERLOADED", op: "channel.subscribe" }]);
    });

    it("an onGap that fails is reported and holds nothing up", async () => {
      const onGap = (): Promise<never> => Promise.reject(new Error("gap handler failed"));
      const { log, failures } = await overflow({ onGap });
      expect(log).toEqual([0, 3, 4, 5]);
      expect(failures.all).toMatchObject([{ message: "gap handler failed" }]);
    });
  });

  describe("close", () => {
    it("waits for the handler in flight, gives up what waits, and is idempotent", async () => {
      const name = randomUUID();
      const { opened, open } = gate();
      const log = new Inbox<string>();
      const arrived = new Inbox<number>();
      const subscription = await a.channel<number>(name).subscribe(async (message) => {
        log.put(`begin ${message}`);
        await opened;
        log.put(`end ${message}`);
      });
      await using _ = await a.channel<number>(name).subscribe(arrived.put);
      await b.channel<number>(name).publish(1);
      await b.channel<number>(name).publish(2);
      await arrived.find((message) => message === 2);
      const closing = subscription.close().then(() => log.put("closed"));
      open();
      await Promise.all([closing, subscription.close(), subscription[Symbol.asyncDispose]()]);
      await b.channel<number>(name).publish(3);
      await arrived.find((message) => message === 3);
      expect(log.all).toEqual(["begin 1", "end 1", "closed"]);
    });

    it("does not wait for ever for a handler that hangs: its signal fires", async () => {
      const name = randomUUID();
      const signals = new Inbox<AbortSignal>();
      const hang = (_message: unknown, { signal }: { signal: AbortSignal }): Promise<never> => {
        signals.put(signal);
        return new Promise(() => undefined);
      };
      const subscription = await a.channel(name).subscribe(hang, { closeTimeout: 20 });
      await b.channel(name).publish(1);
      const signal = await signals.find();
      expect(signal.aborted).toBe(false);
      await subscription.close();
      expect(signal.aborted).toBe(true);
    });

    it("the caller's signal does it too; one that has fired refuses", async () => {
      const name = randomUUID();
      const controller = new AbortController();
      const channel = a.channel(name, { sharded: true });
      const subscription = await channel.subscribe(() => undefined, { signal: controller.signal });
      expect(await channel.publish(1)).toBe(1);
      controller.abort(new Error("enough"));
      await subscription.close();
      expect(await channel.publish(1)).toBe(0);
      const refused = channel.subscribe(() => undefined, { signal: controller.signal });
      await expect(refused).rejects.toMatchObject({ code: "ABORTED", cause: { message: "enough" } });
      await expect(refused).rejects.toBeInstanceOf(AbortedError);
    });

    it("the handle's close waits for handlers in flight; nothing is possible after it", async () => {
      const hf = await connect(url, { ...options, prefix });
      const name = randomUUID();
      const { opened, open } = gate();
      const log = new Inbox<string>();
      const channel = hf.channel(name);
      await channel.subscribe(async () => {
        log.put("begin");
        await opened;
        log.put("end");
      });
      await a.channel(name).publish(1);
      await log.find();
      const closing = hf.close().then(() => log.put("closed"));
      open();
      await closing;
      expect(log.all).toEqual(["begin", "end", "closed"]);
      await expect(channel.publish(1)).rejects.toBeInstanceOf(ClosedError);
      await expect(channel.subscribe(() => undefined)).rejects.toBeInstanceOf(ClosedError);
    });
  });
});
