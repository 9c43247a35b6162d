/** Whether two servers said the same, byte for byte, except for what has no order and what is about time. */
import { withoutTimes } from "../grammars/streams.ts";
import { type Frame, framesOf } from "./frames.ts";
import { UNORDERED_CALLS } from "./scripts.ts";

export type Line = readonly string[];

/** Replies whose elements have no order, and how many of them belong together. */
const UNORDERED: Readonly<Record<string, number>> = {
  SMEMBERS: 1,
  SINTER: 1,
  SUNION: 1,
  SDIFF: 1,
  SPOP: 1,
  SRANDMEMBER: 1,
  SSCAN: 1,
  HKEYS: 1,
  HVALS: 1,
  HGETALL: 2,
  HSCAN: 2,
  HRANDFIELD: 1,
  ZSCAN: 2,
  ZRANDMEMBER: 1,
  KEYS: 1,
  SCAN: 1,
  PUBSUB: 1,
};
const ABOUT_TIME = /^(?:P?TTL|P?EXPIRETIME)$/;
/** Seconds, and milliseconds, by which two servers' times may lie apart. */
const TOLERANCE = 60_000;

/** @param lines the commands that these bytes may answer */
export function sameBytes(real: string, embedded: string, lines: readonly Line[]): boolean {
  if (real === embedded || leavesInTransaction(lines, real, embedded)) return true;
  return sameFrames(inOrder(framesOf(real), lines), inOrder(framesOf(embedded), lines), lines);
}

function sameFrames(real: readonly Frame[], embedded: readonly Frame[], lines: readonly Line[]): boolean {
  return real.length === embedded.length && real.every((frame, i) => sameFrame(frame, embedded[i] as Frame, lines));
}

function sameFrame(real: Frame, embedded: Frame, lines: readonly Line[]): boolean {
  if (real.text === embedded.text) return true;
  if (lines.some((line) => sameReply(real, embedded, line))) return true;
  const isTransaction = lines.some(([name]) => name?.toUpperCase() === "EXEC");
  if (!isTransaction || real.items === undefined || embedded.items === undefined) return false;
  return sameFrames(
    real.items,
    embedded.items,
    lines.filter(([name]) => name?.toUpperCase() !== "EXEC"),
  );
}

function sameReply(real: Frame, embedded: Frame, line: Line): boolean {
  const name = line[0]?.toUpperCase() ?? "";
  if (name.startsWith("EVAL")) return sameOfScript(real, embedded, name.startsWith("EVALSHA") ? undefined : line[1]);
  if (name.startsWith("X")) return withoutTimes(real.text, line) === withoutTimes(embedded.text, line);
  if (ABOUT_TIME.test(name)) return sameTime(real.text, embedded.text);
  const nosort = name.startsWith("SORT") && line.some((word) => /^BY$/i.test(word));
  const group = nosort ? 1 : UNORDERED[name];
  return group !== undefined && canonical(real, group) === canonical(embedded, group);
}

/** Without its source, which then is on the servers only, a script may have called anything. */
function sameOfScript(real: Frame, embedded: Frame, source: string | undefined): boolean {
  const mayBeUnordered = source === undefined || UNORDERED_CALLS.test(source);
  const [one, other] = [real, embedded].map((frame) =>
    comparable(mayBeUnordered ? canonical(frame, 1) : frame.text, source ?? ""),
  );
  if (one === other) return true;
  return /^$|TTL|EXPIRETIME/i.test(source ?? "") && sameTime(real.text, embedded.text);
}

/** Addresses differ by nature; JavaScript does not show the sign of a NaN. Both may be a part of a text. */
function comparable(text: string, source: string): string {
  const plain = /nan|0x[\da-f]{6}/.test(text)
    ? text
        .replaceAll(/0x[\da-f]{6,}/g, "0xADDRESS")
        .replaceAll("-nan", "nan")
        .replaceAll(/\$\d+\r\n/g, "$")
    : text;
  const timeless = withoutTimesInJson(withoutTimes(plain, ["EVAL"]));
  return /XPENDING/i.test(source) ? withoutTimes(timeless, ["XPENDING"]) : timeless;
}

/** What XINFO and XPENDING say of times, where a script made JSON of it. */
function withoutTimesInJson(text: string): string {
  if (!/[[{]/.test(text)) return text;
  return text
    .replaceAll(/\b1[5-9]\d{11}\b/g, "TIME")
    .replaceAll(/"(idle|inactive)",-?\d+/g, '"$1",TIME')
    .replaceAll(/(\["\d+-\d+","[^"]*"),\d+,/g, "$1,TIME,")
    .replaceAll(/\$\d+\r\n/g, "$");
}

function sameTime(real: string, embedded: string): boolean {
  const number = /:(\d+)\r\n/g;
  if (real.replaceAll(number, ":") !== embedded.replaceAll(number, ":")) return false;
  const [times, others] = [real, embedded].map((text) =>
    [...text.matchAll(number)].map(([, digits]) => Number(digits)),
  );
  return (times ?? []).every((time, i) => Math.abs(time - (others?.[i] ?? 0)) <= TOLERANCE);
}

/** With the elements of each aggregate in ascending order, `group` of them at a time. */
function canonical(frame: Frame, group: number): string {
  if (frame.items === undefined) return frame.text;
  const items = frame.items.map((item) => canonical(item, group));
  const together = frame.text.startsWith("%") ? 2 : group;
  const groups: string[] = [];
  for (let i = 0; i < items.length; i += together) groups.push(items.slice(i, i + together).join(""));
  return `${frame.text.slice(0, frame.text.indexOf("\r\n") + 2)}${groups.sort().join("")}`;
}

/**
 * A hash table decides in which order a client's patterns are matched, and in which order it loses its subscriptions. Messages
 * of such a run stand in ascending order here; the counts of the lost ones stay where they are.
 */
function inOrder(frames: readonly Frame[], lines: readonly Line[]): Frame[] {
  const isLeaving = lines.some(leavesAll);
  const ordered: Frame[] = [];
  for (let from = 0, to = 0; from < frames.length; from = to) {
    const kind = kindOf(frames[from] as Frame, isLeaving);
    to = frames.findIndex((frame, i) => i > from && kindOf(frame, isLeaving) !== kind);
    if (to === -1) to = frames.length;
    const run = frames.slice(from, to);
    ordered.push(...(kind === undefined ? run : sortedRun(run, isLeaving)));
  }
  return ordered;
}

function sortedRun(run: readonly Frame[], isLeaving: boolean): Frame[] {
  const texts = run.map(({ text }) => (isLeaving ? text.replace(/:\d+\r\n$/, "") : text));
  return texts.sort().map((text) => ({ text, items: undefined }));
}

/** As above, when UNSUBSCRIBE without names is a part of EXEC's answer. */
function leavesInTransaction(lines: readonly Line[], real: string, embedded: string): boolean {
  const isTransaction = lines.some(([name]) => name?.toUpperCase() === "EXEC");
  if (!isTransaction || !lines.some(leavesAll)) return false;
  const [one, other] = [real, embedded].map((text) => text.split("\r\n").sort().join("\r\n"));
  return one === other;
}

function leavesAll(line: Line): boolean {
  return line.length === 1 && /UNSUBSCRIBE$/i.test(line[0] ?? "");
}

function kindOf({ text }: Frame, isLeaving: boolean): string | undefined {
  const kind = /^[*>]\d\r\n\$\d+\r\n(pmessage|[sp]?unsubscribe)\r\n/.exec(text)?.[1];
  return kind === "pmessage" || isLeaving ? kind : undefined;
}
