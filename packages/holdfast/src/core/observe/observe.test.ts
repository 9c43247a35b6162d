import { tracingChannel } from "node:diagnostics_channel";
import { afterEach, describe, expect, it } from "vitest";
import { observed, type Operation, OPERATION_CHANNEL } from "./observe.ts";

const channel = tracingChannel<string, Operation>(OPERATION_CHANNEL);
let stop: () => void = () => undefined;

function record(): string[] {
  const log: string[] = [];
  const handlers = {
    start: (message: Operation) => void log.push(`start ${message.op} ${message.key}`),
    end: () => undefined,
    asyncStart: () => undefined,
    asyncEnd: (message: Operation) => void log.push(`asyncEnd ${String(message.result)}`),
    error: (message: Operation) => void log.push(`error ${String(message.error)}`),
  };
  channel.subscribe(handlers);
  stop = () => channel.unsubscribe(handlers);
  return log;
}

afterEach(() => stop());

describe("observed", () => {
  it("reports to subscribers the operation, its key and its result", async () => {
    const log = record();
    expect(await observed("cache.get", 42, () => Promise.resolve("ada"))).toBe("ada");
    expect(log).toEqual(["start cache.get 42", "asyncEnd ada"]);
  });

  it("reports the error to subscribers and passes it on", async () => {
    const log = record();
    await expect(observed("cache.get", "a", () => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
    expect(log).toContain("error Error: lost");
  });

  it("shows of a result what it is told to show, and returns the whole of it", async () => {
    const log = record();
    const body = (): Promise<string> => {
      log.push("body");
      return Promise.resolve("secret");
    };
    expect(await observed("sessions.create", undefined, body, () => "shown")).toBe("secret");
    const failing = observed("sessions.create", undefined, () => Promise.reject(new Error("lost")), String);
    await expect(failing).rejects.toThrow("lost");
    const start = "start sessions.create undefined";
    expect(log).toEqual([start, "body", "asyncEnd shown", start, "error Error: lost", "asyncEnd undefined"]);
  });

  it("without subscribers it is the body's own promise", () => {
    const promise = Promise.resolve(1);
    expect(observed("cache.get", "a", () => promise)).toBe(promise);
  });
});
