/**
 * Ids for limits per client address.
 *
 * An IPv6 customer has a whole network (/48 to /64) to send from, so one address of it is no id. An IPv4 client of
 * a dual-stack socket appears as ::ffff:a.b.c.d; cut like an IPv6 address, all of them would be one id (CVE-2026-30827).
 */
import { isIPv4, isIPv6 } from "node:net";
import { InvalidArgumentError } from "../base/errors.ts";

export interface IpKeyOptions {
  /** Leading bits of an IPv6 address that tell clients apart, 1 to 128. @default 56 */
  readonly v6Prefix?: number;
}

/** The address for IPv4, also where it is mapped into IPv6; the network, as `2001:db8:0:aa00:0:0:0:0/56`, for IPv6. */
export function ipKey(address: string, options: IpKeyOptions = {}): string {
  const { v6Prefix = 56 } = options;
  if (!Number.isInteger(v6Prefix) || v6Prefix < 1 || v6Prefix > 128)
    throw new InvalidArgumentError("v6Prefix", "a whole number from 1 to 128", v6Prefix);
  if (typeof address === "string") {
    if (isIPv4(address)) return address;
    if (isIPv6(address)) return keyOfGroups(groupsOf(address), v6Prefix);
  }
  throw new InvalidArgumentError("address", "an IPv4 or IPv6 address without a port", address);
}

function keyOfGroups(groups: readonly number[], prefix: number): string {
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return groups.slice(6).map(dotted).join(".");
  const masked = groups.map((group, at) => group & maskOf(prefix - at * 16));
  return `${masked.map((group) => group.toString(16)).join(":")}/${prefix}`;
}

/** The eight 16-bit groups of a valid address. A zone (`%eth0`) names an interface of this host, not the client. */
function groupsOf(address: string): number[] {
  const [bare = ""] = address.split("%");
  const [head = "", tail] = bare.split("::");
  const left = partsOf(head);
  if (tail === undefined) return left;
  const right = partsOf(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function partsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((part) => (part.includes(".") ? fromDotted(part) : [Number.parseInt(part, 16)]));
}

function fromDotted(text: string): number[] {
  const [a, b, c, d] = text.split(".").map(Number) as [number, number, number, number];
  return [a * 256 + b, c * 256 + d];
}

function dotted(group: number): string {
  return `${group >> 8}.${group & 0xff}`;
}

/** Of a 16-bit group, its leading `bits`, which may be below 0 or above 16. */
function maskOf(bits: number): number {
  return 0xffff & ~(0xffff >> Math.min(Math.max(bits, 0), 16));
}
