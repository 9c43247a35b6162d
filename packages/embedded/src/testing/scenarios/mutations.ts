/** What makes a command line odd, and what may not be sent because two servers cannot answer it alike. */
import type { SeededRandom } from "../../base/random.ts";

const ODD_WORDS = [
  "",
  " ",
  "\x00\xff\r\n",
  "inf",
  "-inf",
  "nan",
  "-0",
  "9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "18446744073709551616",
  "1e400",
  "0x10",
  " 1",
  "1 ",
  "+1",
  "1.5",
  "00",
  "(",
  "x",
];

type Mutation = (random: SeededRandom, args: string[], at: number) => void;

const MUTATIONS: readonly Mutation[] = [
  (_random, args, at) => args.splice(at, 1),
  (_random, args, at) => args.splice(at, 0, args[at] ?? ""),
  (random, args, at) => args.splice(at, 1, random.pick(ODD_WORDS)),
  (random, args, at) => args.splice(at, 1, random.pick(ODD_WORDS)),
  (random, args) => args.push(random.pick(ODD_WORDS)),
  (random, args, at) => {
    const other = random.integer(1, args.length - 1);
    [args[at], args[other]] = [args[other] ?? "", args[at] ?? ""];
  },
  (_random, args, at) => args.splice(at),
  (_random, args, at) => args.splice(at, 1, (args[at] ?? "").toLowerCase()),
];

/** The line with one of its words changed, missing or too many. The name stays. */
export function mutated(random: SeededRandom, line: readonly string[]): string[] {
  const args = [...line];
  if (args.length > 1) random.pick(MUTATIONS)(random, args, random.integer(1, args.length - 1));
  if (random.chance(0.2)) args[0] = (args[0] ?? "").toLowerCase();
  return args;
}

const RANDOM_CHOICE = new Set(["SPOP", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER"]);
/** Their times count from now; what ends while the scenario runs would end at another step on each server. */
const FROM_NOW = new Set(["EXPIRE", "PEXPIRE", "SETEX", "PSETEX", "SET", "GETEX"]);
const LEAST_TIME = 10_000;

/** Whether both servers must answer alike. */
export function isDeterministic(args: readonly string[]): boolean {
  const name = args[0]?.toUpperCase() ?? "";
  if (RANDOM_CHOICE.has(name)) return isWholeChoice(args[2]);
  if (name === "SCAN") return isWholeScan(args, 1);
  if (/^[HSZ]SCAN$/.test(name)) return isWholeScan(args, 2);
  if (FROM_NOW.has(name)) return !args.slice(2).some(isShortTime);
  if (name === "SORT" || name === "SORT_RO") return sortsWholly(args.map((word) => word.toUpperCase()));
  return name !== "XADD" || !args.includes("*");
}

function isWholeChoice(count: string | undefined): boolean {
  if (count === undefined) return false;
  return !/^-?\d+$/.test(count) || count === "0" || BigInt(count) >= 100n || BigInt(count) < -(10n ** 18n);
}

/** From the beginning to the end in one step: the rest depends on how hashes are seeded. */
function isWholeScan(args: readonly string[], cursor: number): boolean {
  if (!/^[+-]?\d/.test(args[cursor] ?? "")) return true;
  const counts = args.filter((_word, i) => /^COUNT$/i.test(args[i - 1] ?? ""));
  return args[cursor] === "0" && counts.length > 0 && !counts.some((count) => /^\d{1,3}$/.test(count));
}

function isShortTime(word: string): boolean {
  return /^\d+$/.test(word) && word !== "0" && Number(word) < LEAST_TIME;
}

/** Equal weights, and a part of what has no order, are chosen by chance. */
function sortsWholly(words: readonly string[]): boolean {
  const by = words.indexOf("BY");
  if (by === -1) return true;
  if (words.includes("ALPHA")) return false;
  return words[by + 1]?.includes("*") === true || !words.includes("LIMIT");
}
