import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChannelListener } from "../../src/driver/port.ts";
import { call, Inbox, openDriver, type OpenDriver, slotPrefix, targets } from "./support.ts";

interface Message {
  readonly channel: string;
  readonly text: string;
}

function listenerFor(messages: Inbox<Message>, gaps: Inbox<unknown> = new Inbox()): ChannelListener {
  return {
    message: (payload, channel) => messages.put({ channel, text: payload.toString() }),
    gap: gaps.put,
  };
}

describe.each(targets())("subscriptions over $transport [$name]", ({ url, options }) => {
  let driver: OpenDriver;
  beforeAll(async () => {
    driver = await openDriver({ url, ...options });
  });
  afterAll(() => driver.close());

  const publish = (channel: string, text: string): Promise<unknown> =>
    driver.send(["PUBLISH", channel, text], call("unsafe"));

  it.each(["exact", "pattern", "sharded"] as const)("delivers to %s subscribers until they leave", async (kind) => {
    const channel = `${slotPrefix()}news`;
    const messages = new Inbox<Message>();
    const name = kind === "pattern" ? `${channel.slice(0, -4)}*` : channel;
    const subscription = await driver.subscribe(kind, name, listenerFor(messages), call());
    const send = (text: string): Promise<unknown> =>
      kind === "sharded" ? driver.send(["SPUBLISH", channel, text], call("unsafe"), channel) : publish(channel, text);
    await send("one");
    expect(await messages.find()).toEqual({ channel, text: "one" });
    await subscription.close();
    await subscription.close();
    await send("two");
    const again = await driver.subscribe(kind, name, listenerFor(messages), call());
    await send("three");
    await messages.find(({ text }) => text === "three");
    expect(messages.all.map(({ text }) => text)).toEqual(["one", "three"]);
    await again.close();
  });

  it("shares one subscription among the listeners of a channel", async () => {
    const channel = `${slotPrefix()}news`;
    const [first, second] = [new Inbox<Message>(), new Inbox<Message>()];
    const one = await driver.subscribe("exact", channel, listenerFor(first), call());
    const two = await driver.subscribe("exact", channel, listenerFor(second), call());
    await publish(channel, "a");
    await Promise.all([first.find(), second.find()]);
    await one.close();
    await publish(channel, "b");
    await second.find(({ text }) => text === "b");
    expect(first.all.map(({ text }) => text)).toEqual(["a"]);
    await two.close();
  });

  it("survives a listener that throws", async () => {
    const channel = `${slotPrefix()}news`;
    const warnings = new Inbox<Error>();
    process.on("warning", warnings.put);
    const messages = new Inbox<Message>();
    const thrower: ChannelListener = {
      message: () => {
        throw new Error("listener failed on purpose");
      },
      gap: () => undefined,
    };
    const bad = await driver.subscribe("exact", channel, thrower, call());
    const good = await driver.subscribe("exact", channel, listenerFor(messages), call());
    await publish(channel, "one");
    await publish(channel, "two");
    await messages.find(({ text }) => text === "two");
    const warning = await warnings.find(({ message }) => message.includes("listener failed on purpose"));
    expect(warning.message).toContain("channel listener");
    process.off("warning", warnings.put);
    await bad.close();
    await good.close();
  });
});
