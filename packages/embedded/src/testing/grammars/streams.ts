import type { Placeholders } from "../grammar.ts";

/** Ids come from few values, so that they meet. No `*`: two servers never agree on the time. */
export function streamPlaceholders(): Placeholders {
  let lastMs = 0;
  const recent: string[] = ["0-1"];
  return {
    newid: (random) => {
      if (random.chance(0.6)) lastMs += random.integer(0, 2);
      const seq = random.pick(["*", `${random.integer(0, 9)}`]);
      if (recent.push(`${lastMs}-${seq === "*" ? 0 : seq}`) > 30) recent.shift();
      return `${lastMs}-${seq}`;
    },
    id: (random) => {
      if (random.chance(0.75)) return random.pick(recent);
      return random.pick([`${random.integer(0, lastMs + 2)}`, `${lastMs}-1`, "9223372036854775807-1"]);
    },
    from: (random) => {
      const id = `${random.integer(0, lastMs)}-${random.integer(0, 3)}`;
      return random.pick(["-", "-", "0", id, id, `(${id}`, "(-", "18446744073709551615-18446744073709551615"]);
    },
    to: (random) => {
      const id = `${random.integer(0, lastMs + 1)}`;
      return random.pick(["+", "+", "+", id, `${id}-1`, `(${id}`, `(${id}-0`, "(0-0"]);
    },
    group: (random) => (random.chance(0.08) ? "none" : random.pick(["g1", "g1", "g2"])),
    consumer: (random) => random.pick(["alice", "bob", "carol"]),
    position: (random) => random.pick(["0", "$", `${random.integer(0, lastMs)}`, `${random.integer(0, lastMs)}-1`]),
    history: (random) => random.pick([">", ">", ">", "0", `${random.integer(0, lastMs)}-0`]),
    count: (random) => `${random.pick([0, 1, 1, 2, 3, 10, 100])}`,
    length: (random) => `${random.pick([0, 1, 2, 5, 20, 50, 100, 150])}`,
    added: (random) => `${random.integer(0, 60)}`,
    // Far from what a test needs to run, so that it does not matter how long it runs.
    idle: (random) => random.pick(["0", "0", "1000000", "5000000", "-1"]),
    fields: (random) => {
      const names = random.pick([["a"], ["a"], ["a", "b"], ["b"], ["name", "value", "12"]]);
      const sizes = [1, 1, 3, 3, 20, 70, 130, 5000];
      return names.flatMap((name) => [
        name,
        random.chance(0.4) ? `${random.integer(-300, 70_000)}` : "x".repeat(random.pick(sizes)),
      ]);
    },
  };
}

export const streamSyntax: readonly string[] = [
  ...Array.from({ length: 8 }, () => "XADD key [NOMKSTREAM] [MAXLEN [=|~] length | MINID [=|~] id] newid fields"),
  "XADD key [NOMKSTREAM|MAXLEN ~ length] LIMIT count newid fields",
  "XLEN key",
  "XRANGE key from to [COUNT count]",
  "XREVRANGE key to from [COUNT count]",
  "XDEL key (id)+",
  "XDEL key (id id id id)+",
  "XTRIM key (MAXLEN [=|~] length|MINID [=|~] id) [LIMIT count]",
  "XSETID key id [ENTRIESADDED added] [MAXDELETEDID id]",
  "XREAD [COUNT count] STREAMS (key position|key key position position)",
  "XGROUP CREATE key group position [MKSTREAM] [ENTRIESREAD added]",
  "XGROUP SETID key group position [ENTRIESREAD added]",
  "XGROUP (DESTROY key group|CREATECONSUMER key group consumer|DELCONSUMER key group consumer)",
  ...Array.from({ length: 4 }, () => "XREADGROUP GROUP group consumer [COUNT count] [NOACK] STREAMS key history"),
  "XREADGROUP GROUP group consumer COUNT count STREAMS key key history history",
  "XACK key group (id)+",
  "XPENDING key group",
  "XPENDING key group [IDLE idle] from to count [consumer]",
  "XCLAIM key group consumer idle (id)+ [IDLE idle] [TIME idle] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]",
  "XAUTOCLAIM key group consumer idle from [COUNT count] [JUSTID]",
  "XINFO STREAM key [FULL [COUNT count]]",
  "XINFO STREAM key FULL COUNT 0",
  "XINFO GROUPS key",
  "XINFO CONSUMERS key group",
];

/** Replies without times of delivery and of last sight; of an idle time its millions remain. */
export function withoutTimes(reply: string, [name = ""]: readonly string[]): string {
  const timeless = reply.replaceAll(/:1\d{12}\r\n/g, ":(time)\r\n");
  if (/^XPENDING$/i.test(name)) return timeless.replaceAll(/:(\d(?=\d{6}))?\d{1,6}\r\n(?=:)/g, ":$1(idle)\r\n");
  return timeless.replaceAll(/idle\r\n:\d+/g, "idle\r\n:(idle)");
}
