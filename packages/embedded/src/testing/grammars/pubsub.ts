import type { Placeholders } from "../grammar.ts";

export const pubSubPlaceholders: Placeholders = {
  channel: (random) =>
    random.pick([
      "news",
      "news",
      "a",
      "b",
      "",
      "\xff",
      "__keyevent@0__:del",
      "__keyspace@0__:x",
      "__redis__:invalidate",
    ]),
  pattern: (random) => random.pick(["*", "n?ws", "__key*__:*", "__keyevent@*", "[ab]", "", "\\*"]),
  message: (random) => random.pick(["hello", "", "\x00\r\n", "1"]),
};

export const pubSubSyntax: readonly string[] = [
  "SUBSCRIBE (channel)+",
  "UNSUBSCRIBE [(channel)+]",
  "PSUBSCRIBE (pattern)+",
  "PUNSUBSCRIBE [(pattern)+]",
  "SSUBSCRIBE (channel)+",
  "SUNSUBSCRIBE [(channel)+]",
  "(PUBLISH|SPUBLISH) channel message",
  "(PUBLISH|SPUBLISH) channel message",
  "PUBSUB (CHANNELS|SHARDCHANNELS) [pattern]",
  "PUBSUB (NUMSUB|SHARDNUMSUB) [(channel)+]",
  "PUBSUB (NUMPAT|X|HELP)",
];

/** All that a RESP2 client may send while it listens, and a little of what it may not. */
export const subscriberSyntax: readonly string[] = [
  "(UNSUBSCRIBE|PUNSUBSCRIBE|SUNSUBSCRIBE)",
  "(UNSUBSCRIBE|PUNSUBSCRIBE|SUNSUBSCRIBE)",
  "(SUBSCRIBE|UNSUBSCRIBE|SUNSUBSCRIBE) channel",
  "(PSUBSCRIBE|PUNSUBSCRIBE) pattern",
  "PING [message]",
  "(GET A|MULTI|EXEC|RESET)",
];
