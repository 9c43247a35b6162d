import { ClientOfflineError, DisconnectsClientError, ErrorReply, SocketClosedUnexpectedlyError } from "@redis/client";
import { describe, expect, it } from "vitest";
import { NeverWrittenError } from "../connection/raw-client.ts";
import { classify } from "./classify.ts";

describe("whether a failed command can have been executed", () => {
  it.each([
    "MOVED 1 a:1",
    "ASK 1 a:1",
    "TRYAGAIN x",
    "CLUSTERDOWN x",
    "LOADING x",
    "READONLY x",
    "MASTERDOWN x",
    "BUSY x",
  ])("not when the server refused it: %s", (message) => {
    expect(classify(new ErrorReply(message), "n")).toMatchObject({
      kind: "refused",
      prefix: message.split(" ")[0],
      node: "n",
    });
  });

  it.each(["WRONGTYPE x", "NOSCRIPT x", "ERR x", "OOM x", "MISCONF x", "BUSYGROUP x", "NOPERM x"])(
    "answered for good: %s",
    (message) => {
      expect(classify(new ErrorReply(message), "n")).toMatchObject({ kind: "replied", prefix: message.split(" ")[0] });
    },
  );

  it("not when it was never written", () => {
    for (const error of [new ClientOfflineError(), new NeverWrittenError("x"), new Error("The queue is full")]) {
      expect(classify(error, "n").kind).toBe("refused");
    }
  });

  it("perhaps, when its answer will not come", () => {
    for (const error of [
      new SocketClosedUnexpectedlyError(),
      new DisconnectsClientError(),
      new Error("read ECONNRESET"),
    ]) {
      expect(classify(error, "n")).toMatchObject({ kind: "lost", prefix: "", cause: error });
    }
  });

  it("not when an argument cannot be sent: that is the caller's fault", () => {
    expect(classify(new TypeError('"arguments[1]" must be of type "string | Buffer"'), "n").kind).toBe("replied");
  });
});
