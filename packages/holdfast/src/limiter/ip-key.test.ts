// What could go wrong, and the test for it:
// - all IPv4 clients behind a translator share one id (CVE-2026-30827) .... "IPv4 stays whole, however it is written"
// - one IPv6 customer has many ids, or many customers one ................. "%s by /%i", "clients of one network share an id"
// - what is no address becomes an id ...................................... "refuses ..."
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
    ["::203.0.113.7", "203.0.113.7"],
    ["::ffff:0:203.0.113.7", "203.0.113.7"],
    ["64:ff9b::203.0.113.7", "203.0.113.7"],
    ["64:ff9b::cb00:7107", "203.0.113.7"],
    ["64:ff9b:1::203.0.113.7", "203.0.113.7"],
    ["64:ff9b:1:fffe::203.0.113.7", "203.0.113.7"],
    ["64:ff9b:1:cb00:71:700::", "203.0.113.7"],
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
    ["::0.0.0.7", 128, "0:0:0:0:0:0:0:7/128"],
    ["64:ff9b:2::203.0.113.7", 48, "64:ff9b:2:0:0:0:0:0/48"],
    // Of the local prefix of NAT64, but in a form that is not known: nothing is cut off.
    ["64:ff9b:1:cb:0:7107:0700:0", 56, "64:ff9b:1:cb:0:7107:700:0/128"],
    ["64:ff9b:1:cb:0:7107::", 56, "64:ff9b:1:cb:0:7107:0:0/128"],
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
