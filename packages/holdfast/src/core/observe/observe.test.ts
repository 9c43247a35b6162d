import { tracingChannel } from "node:diagnostics_channel";
import { afterEach, describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../base/errors.ts";
import { observed, type Operation, OPERATION_CHANNEL, Operations } from "./observe.ts";

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
  it("reports to subscribers the operation and its key, and not its result, which may be what was stored", async () => {
    const log = record();
    expect(await observed("cache.get", 42, () => Promise.resolve("ada"))).toBe("ada");
    expect(log).toEqual(["start cache.get 42", "asyncEnd undefined"]);
  });

  it("shows no key that is neither text nor number", async () => {
    const log = record();
    await observed("cache.get", ["secret"] as never, () => Promise.resolve());
    expect(log).toEqual(["start cache.get undefined", "asyncEnd undefined"]);
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

describe("Operations", () => {
  const users = new Operations("cache", "users");
  const refusal = new InvalidArgumentError("ttl", "a duration", {});
  const message = 'cache "users": ttl: expected a duration, got an object';

  it.each<[string, () => Promise<unknown>]>([
    [
      "at once",
      () => {
        throw refusal;
      },
    ],
    ["later", () => Promise.reject(refusal)],
  ])("name the instance, the operation and the key in what is refused %s", async (_when, body) => {
    const failing = users.run("set", 7, body);
    await expect(failing).rejects.toMatchObject({ message, op: "cache.set", key: "7", field: "ttl" });
  });

  it("leave a refusal that names its instance, and every other error, as it is", async () => {
    const named = refusal.at('cache "other"', { op: "cache.get" });
    const renamed = users.run("set", 7, () => Promise.reject(named));
    await expect(renamed).rejects.toMatchObject({ message: named.message, op: "cache.get" });
    const lost = new Error("lost");
    await expect(users.run("set", 7, () => Promise.reject(lost))).rejects.toBe(lost);
  });

  it("are traced by noun and verb", async () => {
    const log = record();
    await users.run("get", "a", () => Promise.resolve(1), String);
    expect(log).toEqual(["start cache.get a", "asyncEnd 1"]);
  });
});
