/**
 * Where the embedded server differs from Redis 7.0 on purpose, or Redis is the odd one. Nothing else may differ.
 *
 * What scenarios never send, because two servers cannot answer it alike: a random choice of some elements, a part of a scan, `*` as
 * an entry's id, an end of life that comes while the scenario runs, SORT of equal weights, STOREDIST (the C library's last digit).
 * Nor do they change `set-max-intset-entries` and `hash-max-listpack-*` when there are sets and hashes: those which are there take
 * the new limits at once here, with their next change in Redis. Nor CLIENT UNBLOCK beside CLIENT PAUSE, see below.
 */
import { type Line, sameBytes } from "./comparison.ts";
import type { Difference } from "./difference.ts";
import { type Frame, framesOf, isMessage, messagesApart } from "./frames.ts";

export interface KnownDifference {
  readonly reason: string;
  readonly covers: (difference: Difference) => boolean;
  /** What the two hold may differ from then on, so the scenario ends. */
  readonly diverges?: true;
}

const NO_WEIGHT = "ERR One or more scores can't be converted into double";

const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    reason:
      "A message to the client whose own command causes it comes before the answer. In Redis it depends on the command, and " +
      "it can be in the middle of EXEC's answer, where clients do not expect one. And in broadcast mode of client-side caching " +
      "Redis puts into one message what changed within one turn of its event loop, as by a client that was woken and goes on; " +
      "here a command's changes are a message.",
    covers: ({ real, embedded, lines }) => {
      const [one, other] = [messagesApart(real), messagesApart(embedded)];
      return (
        one.messages !== "" &&
        sameMessages(one.messages, other.messages) &&
        sameBytes(one.answers, other.answers, lines)
      );
    },
  },
  {
    reason: "As above: a client that ends its tracking within that turn is not informed in Redis.",
    covers: ({ real, embedded, lines }) => {
      const { messages, answers } = messagesApart(embedded);
      const ends = names(lines, "RESET") || names(lines, "TRACKING");
      return ends && framesOf(messages).every(isInvalidation) && sameBytes(real, answers, lines);
    },
  },
  {
    reason:
      "OBJECT ENCODING of a whole number that INCRBYFLOAT made: Redis says embstr until it is written again. Here the " +
      "encoding of a string follows from its content.",
    covers: ({ real, embedded, lines }) =>
      (names(lines, "ENCODING") || names(lines, "EVALSHA")) &&
      real.replaceAll("$6\r\nembstr\r\n", "$3\r\nint\r\n") === embedded,
  },
  {
    reason:
      "CLIENT REPLY in a transaction: Redis announces EXEC's array and leaves out a part of it, or leaves out what announces " +
      "it, which no client can read. Here it is there as a whole, or not at all.",
    covers: ({ real, lines }) => names(lines, "REPLY") && names(lines, "EXEC") && /^(?:\*\d+|\+OK)\r\n/.test(real),
  },
  {
    reason:
      "A transaction that subscribes while CLIENT REPLY is off: Redis sends the confirmations only, which are messages.",
    covers: ({ real, embedded, lines }) => {
      const { messages, answers } = messagesApart(real);
      return sameMessages(messages, embedded) && names(lines, "EXEC") && framesOf(answers).every(isMessage);
    },
  },
  {
    reason:
      "HELLO in a transaction: Redis writes what was answered before in the old protocol version. Here EXEC's whole answer is in " +
      "the new one.",
    covers: ({ real, embedded, lines }) =>
      names(lines, "HELLO") &&
      names(lines, "EXEC") &&
      /^\*\d+\r\n/.exec(real)?.[0] === /^\*\d+\r\n/.exec(embedded)?.[0],
  },
  {
    reason:
      "That everything was flushed is told as a null. Where the message is redirected to a client of the other protocol version, " +
      "Redis sends the null of the version of the client that reads, which the other cannot understand.",
    covers: ({ real, embedded }) => {
      const [one, other] = [real, embedded].map((text) =>
        text.replaceAll(/(invalidate\r\n)(?:_|\$-1)\r\n/g, "$1(null)"),
      );
      return real.includes("invalidate\r\n") && one === other;
    },
  },
  {
    reason:
      "A client that is silenced by CLIENT REPLY is not closed by QUIT or CLIENT KILL in Redis, and never heard again.",
    covers: ({ real, embedded, lines: [line] }) =>
      real === "" && embedded === "(closed)" && /^(?:QUIT|CLIENT KILL)/i.test(line?.join(" ") ?? ""),
    diverges: true,
  },
  {
    reason:
      "SORT takes a C library's error of an earlier command, which read a number too small or too large, for one of its own: it " +
      "does not reset errno.",
    covers: ({ real, embedded, lines }) =>
      names(lines, "SORT") && real.includes(NO_WEIGHT) && !embedded.includes(NO_WEIGHT),
    diverges: true,
  },
  {
    reason: "CLIENT UNBLOCK of a client that CLIENT PAUSE holds back ends Redis 7.0.15 with a failed assertion.",
    covers: ({ failure, lines }) => failure !== undefined && names(lines, "UNBLOCK"),
  },
];

export function knownAs(difference: Difference): KnownDifference | undefined {
  return KNOWN_DIFFERENCES.find(({ covers }) => covers(difference));
}

/** The same keys are invalid, and all other messages are the same. */
function sameMessages(real: string, embedded: string): boolean {
  const [one, other] = [real, embedded].map((bytes) => {
    const frames = framesOf(bytes);
    const keys = frames
      .filter(isInvalidation)
      .flatMap(({ items }) => items?.at(-1)?.items?.map(({ text }) => text) ?? []);
    const rest = frames.filter((frame) => !isInvalidation(frame)).map(({ text }) => text);
    return { keys: [...new Set(keys)].sort().join(""), rest: rest.join("") };
  });
  return one?.keys === other?.keys && sameBytes(one?.rest ?? "", other?.rest ?? "", []);
}

function isInvalidation({ text }: Frame): boolean {
  return text.startsWith(">2\r\n$10\r\ninvalidate\r\n");
}

/** Whether any of the commands has this word, perhaps in a script. */
function names(lines: readonly Line[], word: string): boolean {
  return lines.some((line) => line.some((text) => text.toUpperCase().includes(word)));
}
