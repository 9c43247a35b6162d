/** What a cluster says of itself: the reply of CLUSTER SLOTS, and the targets of MOVED and ASK. */
import type { Reply } from "../port.ts";

export interface SlotRange {
  readonly first: number;
  readonly last: number;
  /** The primary, as announced. */
  readonly host: string;
  readonly port: number;
}

export interface Redirection {
  readonly slot: number;
  readonly host: string;
  readonly port: number;
}

/**
 * `[first, last, [host, port, id, metadata], replica ...], ...`. `askedHost` is the host that was asked: a node which
 * does not know its own name means the one by which it was reached.
 */
export function readSlotRanges(reply: Reply, askedHost: string): SlotRange[] {
  if (!Array.isArray(reply)) throw new TypeError("CLUSTER SLOTS did not answer with a list");
  return reply.flatMap((range) => {
    if (!Array.isArray(range)) return [];
    const [first, last, primary] = range;
    if (typeof first !== "number" || typeof last !== "number" || !Array.isArray(primary)) return [];
    return [{ first, last, host: announcedHost(primary, askedHost), port: Number(primary[1]) }];
  });
}

/** `MOVED 3999 host:port` or `ASK 3999 host:port`; an empty host means the one that answered. */
export function readRedirection(message: string, answeredHost: string): Redirection | undefined {
  const match = /^(?:MOVED|ASK) (\d+) (.*):(\d+)$/.exec(message);
  if (match === null) return undefined;
  const [, slot, host, port] = match;
  return { slot: Number(slot), host: host === "" || host === "?" ? answeredHost : host!, port: Number(port) };
}

/** With preferred host names a node without one is announced as `?`, its IP in the metadata. */
function announcedHost(primary: readonly Reply[], askedHost: string): string {
  const host = primary[0] === null || primary[0] === undefined ? "" : String(primary[0]);
  if (host !== "" && host !== "?") return host;
  const metadata = primary[3];
  if (host === "?" && Array.isArray(metadata)) {
    const at = metadata.findIndex((name) => String(name) === "ip");
    if (at !== -1 && metadata[at + 1] !== undefined) return String(metadata[at + 1]);
  }
  return askedHost;
}
