/**
 * Ids for limits per client address.
 *
 * An IPv6 customer has a whole network (/48 to /64) to send from, so a single address is no id. An IPv4 client may
 * appear as an IPv6 address, behind a dual-stack socket or a translator; cut like an IPv6 address, all of them would
 * share one id (CVE-2026-30827), so such an address is the IPv4 address behind it.
 */
import { isIPv4, isIPv6 } from "node:net";
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, type OptionNames, wholeBetween } from "../base/options.ts";

export interface IpKeyOptions {
  /** Leading bits of an IPv6 address that distinguish clients, 1 to 128. @default 56 */
  readonly v6Prefix?: number;
}

const NAMES: OptionNames<IpKeyOptions> = { v6Prefix: true };

/**
 * Returns the address for IPv4, also for one inside an IPv6 address (mapped, compatible, translated, NAT64); and for
 * IPv6 the network, as `2001:db8:0:aa00:0:0:0:0/56`.
 */
export function ipKey(address: string, options?: IpKeyOptions): string {
  const { v6Prefix = 56 } = givenOptions(options, NAMES);
  const prefix = wholeBetween("v6Prefix", v6Prefix, 1, 128);
  if (typeof address === "string") {
    if (isIPv4(address)) return address;
    if (isIPv6(address)) return keyOfGroups(groupsOf(address), prefix);
  }
  throw new InvalidArgumentError("address", "an IPv4 or IPv6 address without a port", address);
}

function keyOfGroups(groups: readonly number[], prefix: number): string {
  const bits = isLocalNat64(groups) ? 128 : prefix;
  const behind = ipv4Behind(groups);
  if (behind !== undefined) return behind.map(dotted).join(".");
  const masked = groups.map((group, at) => group & maskOf(bits - at * 16));
  return `${masked.map((group) => group.toString(16)).join(":")}/${bits}`;
}

/** The two groups of the IPv4 address that an IPv6 address stands for. */
function ipv4Behind(groups: readonly number[]): readonly number[] | undefined {
  const [, , , g3, g4, g5, g6, g7] = groups as [number, number, number, number, number, number, number, number];
  const last = [g6, g7];
  if (startsWith(groups, [0, 0, 0, 0, 0, 0xffff])) return last; // mapped, RFC 4291
  if (startsWith(groups, [0, 0, 0, 0, 0xffff, 0])) return last; // translated, RFC 2765
  if (startsWith(groups, [0x64, 0xff9b, 0, 0, 0, 0])) return last; // NAT64, RFC 6052
  // Compatible, RFC 4291. No host has an IPv4 address that begins with 0, but ::1 is one.
  if (startsWith(groups, [0, 0, 0, 0, 0, 0]) && g6 >> 8 !== 0) return last;
  if (!isLocalNat64(groups)) return undefined;
  // RFC 8215 leaves the length of the prefix to the network: /96 has the address at the end, /48 has it around bits 64 to 71.
  if (g7 !== 0 || (g6 & 0xff) !== 0) return last;
  if (g6 === 0 && (g5 & 0xff) === 0 && g4 >> 8 === 0) return [g3, (g4 << 8) | (g5 >> 8)];
  return undefined;
}

/** 64:ff9b:1::/48. Where its form is not known the whole address is the id, because all of it may be one client's. */
function isLocalNat64(groups: readonly number[]): boolean {
  return startsWith(groups, [0x64, 0xff9b, 1]);
}

function startsWith(groups: readonly number[], head: readonly number[]): boolean {
  return head.every((group, at) => groups[at] === group);
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
