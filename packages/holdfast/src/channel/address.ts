/**
 * Names on the server. A sharded channel has its name as the hash tag, so it is in the slot of `hf.key(name, ...)`, and
 * it differs from the plain channel of the same name: a message never goes out in one way and is awaited in the other.
 */
import type { Core } from "../core/core.ts";
import type { ChannelKind } from "../driver/port.ts";
import { escapeGlob } from "../core/keyspace/scan.ts";
import { checkName } from "./options.ts";

export interface ChannelAddress {
  readonly kind: ChannelKind;
  /** What is subscribed, and for a single channel what is published to. */
  readonly target: string;
  /** The user's name for a channel of this address. */
  nameOf(channel: string): string;
}

export function channelAddress(core: Core, name: string, sharded: boolean): ChannelAddress {
  checkName("name", name);
  const nameOf = (): string => name;
  return sharded
    ? { kind: "sharded", target: core.keys.group("shard", name).key, nameOf }
    : { kind: "exact", target: core.keys.channel("channel", name), nameOf };
}

export function patternAddress(core: Core, pattern: string): ChannelAddress {
  const head = core.keys.channel("channel", "");
  return {
    kind: "pattern",
    target: escapeGlob(head) + checkName("pattern", pattern),
    nameOf: (channel) => channel.slice(head.length),
  };
}
