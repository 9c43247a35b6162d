import { describe, expect, it } from "vitest";
import { readRedirection, readSlotRanges } from "./slots.ts";

const text = (value: string): Buffer => Buffer.from(value);

describe("what a cluster says of its slots", () => {
  it("reads the primaries of CLUSTER SLOTS, however they are announced", () => {
    const reply = [
      [0, 99, [text("10.0.0.1"), 7000, text("id"), []], [text("10.0.0.9"), 7009, text("replica"), []]],
      [100, 199, [text("node-b.example"), 7001, text("id"), [text("ip"), text("10.0.0.2")]]],
      [200, 299, [text("?"), 7002, text("id"), [text("ip"), text("10.0.0.3")]]],
      [300, 399, [text(""), 7003, text("id"), []]],
      [400, 499, [null, 7004, text("id"), []]],
    ];
    expect(readSlotRanges(reply, "asked")).toEqual([
      { first: 0, last: 99, host: "10.0.0.1", port: 7000 },
      { first: 100, last: 199, host: "node-b.example", port: 7001 },
      { first: 200, last: 299, host: "10.0.0.3", port: 7002 },
      { first: 300, last: 399, host: "asked", port: 7003 },
      { first: 400, last: 499, host: "asked", port: 7004 },
    ]);
  });

  it("reads redirections, also of IPv6 and of a node that does not know its name", () => {
    expect(readRedirection("MOVED 3999 127.0.0.1:6381", "asked")).toEqual({
      slot: 3999,
      host: "127.0.0.1",
      port: 6381,
    });
    expect(readRedirection("ASK 1 ::1:7000", "asked")).toEqual({ slot: 1, host: "::1", port: 7000 });
    expect(readRedirection("MOVED 2 :7001", "asked")).toEqual({ slot: 2, host: "asked", port: 7001 });
    expect(readRedirection("CLUSTERDOWN The cluster is down", "asked")).toBeUndefined();
  });
});
