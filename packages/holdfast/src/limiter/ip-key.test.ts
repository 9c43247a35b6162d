import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../base/errors.ts";
import { ipKey } from "./ip-key.ts";

describe("ipKey", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:cb00:7107", "203.0.113.7"],
    ["0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"],
    ["0000:0000:0000:0000:0000:ffff:cb00:7107", "203.0.113.7"],
  ])("IPv4 stays whole, however it is written: %s", (address, key) => {
    expect(ipKey(address)).toBe(key);
    expect(ipKey(address, { v6Prefix: 1 })).toBe(key);
  });

  it.each([
    ["2001:db8:1:22aa:3:4:5:6", 56, "2001:db8:1:2200:0:0:0:0/56"],
    ["2001:0DB8:0001:22FF::1", 56, "2001:db8:1:2200:0:0:0:0/56"],
    ["2001:db8:1:2300::1", 56, "2001:db8:1:2300:0:0:0:0/56"],
    ["2001:db8:1:22aa:3:4:5:6", 64, "2001:db8:1:22aa:0:0:0:0/64"],
    ["2001:db8:1:22aa:3:4:5:6", 48, "2001:db8:1:0:0:0:0:0/48"],
    ["2001:db8::1", 128, "2001:db8:0:0:0:0:0:1/128"],
    ["ffff::", 1, "8000:0:0:0:0:0:0:0/1"],
    ["::1", 56, "0:0:0:0:0:0:0:0/56"],
    ["fe80::1%eth0", 64, "fe80:0:0:0:0:0:0:0/64"],
    ["64:ff9b::203.0.113.7", 128, "64:ff9b:0:0:0:0:cb00:7107/128"],
  ])("%s by /%i", (address, v6Prefix, key) => {
    expect(ipKey(address, { v6Prefix })).toBe(key);
  });

  it("clients of one network share an id, by default a /56", () => {
    expect(ipKey("2001:db8:0:aaff::1")).toBe(ipKey("2001:db8:0:aa00:ffff:ffff:ffff:ffff"));
    expect(ipKey("2001:db8:0:aaff::1")).not.toBe(ipKey("2001:db8:0:abff::1"));
  });

  it.each(["", "203.0.113.7:443", "[2001:db8::1]", "203.0.113", "example.com", "1:2:3"])("refuses %j", (address) => {
    expect(() => ipKey(address)).toThrow(InvalidArgumentError);
  });

  it.each([0, 129, 1.5, Number.NaN])("refuses a prefix of %d bits", (v6Prefix) => {
    expect(() => ipKey("::1", { v6Prefix })).toThrow(InvalidArgumentError);
  });
});
