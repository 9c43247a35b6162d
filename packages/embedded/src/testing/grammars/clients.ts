import type { Placeholders } from "../grammar.ts";

export const clientPlaceholders: Placeholders = {
  name: (random) => random.pick(["worker", "w2", "", "with space", "\xff", "a\nb"]),
  prefix: (random) => random.pick(["", "h", "s", "z", "a", "ab", "x"]),
  message: (random) => random.pick(["hello", "", "\x00\r\n"]),
  version: (random) =>
    random.pick(["2", "3", "2", "3", "2", "3", random.chance(0.3) ? random.pick(["4", "x", "-1", ""]) : "3"]),
  events: (random) =>
    random.pick(["KEA", "KEA", "Kg$", "Ez", "KElsh", "KEt", "KEmn", "KEm", "AKEmn", "", "K", "x", "Kgxe"]),
};

/** `peer` is another connection's number. */
export const clientSyntax: readonly string[] = [
  "CLIENT ID",
  "CLIENT (GETNAME|SETNAME name)",
  "CLIENT NO-EVICT (ON|OFF|X)",
  ...Array.from({ length: 3 }, () => "CLIENT TRACKING ON [OPTIN|OPTOUT|OPTIN OPTOUT] [NOLOOP]"),
  "CLIENT TRACKING ON BCAST [NOLOOP] [PREFIX prefix] [PREFIX prefix]",
  "CLIENT TRACKING (ON|OFF) [REDIRECT peer] [BCAST] [PREFIX prefix] [OPTIN] [OPTOUT] [NOLOOP]",
  "CLIENT TRACKING ON REDIRECT peer [BCAST|OPTIN|OPTOUT]",
  "CLIENT TRACKING OFF",
  "CLIENT (TRACKINGINFO|GETREDIR)",
  "CLIENT CACHING (YES|YES|NO|X)",
  "CLIENT UNBLOCK peer [TIMEOUT|ERROR|X]",
  "CLIENT (HELP|X)",
  "HELLO [version [SETNAME name|AUTH Default name|X]]",
  "HELLO version",
  "RESET",
  "PING [message]",
  "PING message message",
  "ECHO message",
  "CONFIG SET NOTIFY-KEYSPACE-EVENTS events",
  "CONFIG SET NOTIFY-KEYSPACE-EVENTS KEA",
  "CONFIG GET NOTIFY-KEYSPACE-EVENTS",
  "WAIT 0 0",
  "AUTH (name|Default name)",
  "(MULTI|EXEC|DISCARD|UNWATCH)",
];
