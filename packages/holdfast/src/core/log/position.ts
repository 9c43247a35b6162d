/**
 * Positions as text, for users and browsers: epoch, partition, offset and time of a message in base 36, a `.` between; those of several
 * partitions are joined by `_`. Whoever resumes has the time compared: after a failover another message may be at that offset.
 */
import { InvalidArgumentError, said } from "../../base/errors.ts";
import type { LogPoint } from "./pack.ts";

export interface LogPosition {
  readonly partition: number;
  readonly point: LogPoint;
}

const NUMBER = "(?:0|[1-9a-z][0-9a-z]{0,10})";
const POSITION = new RegExp(String.raw`^${NUMBER}\.${NUMBER}\.${NUMBER}\.${NUMBER}$`);
const MAX_LENGTH = 65_536;
const RADIX = 36;

export function encodePosition(partition: number, { epoch, offset, at }: LogPoint): string {
  return `${epoch.toString(RADIX)}.${partition.toString(RADIX)}.${offset.toString(RADIX)}.${at.toString(RADIX)}`;
}

/** @throws InvalidArgumentError in the name of `field` for what is no position */
export function parsePosition(field: string, text: string): LogPosition[] {
  const parts = typeof text === "string" && text.length <= MAX_LENGTH ? text.split("_") : [""];
  return parts.map((part) => {
    const numbers = part.split(".").map((each) => Number.parseInt(each, RADIX));
    if (!POSITION.test(part) || !numbers.every(Number.isSafeInteger)) throw refused(field, text);
    const [epoch, partition, offset, at] = numbers as [number, number, number, number];
    return { partition, point: { epoch, offset, at } };
  });
}

function refused(field: string, text: string): InvalidArgumentError {
  return new InvalidArgumentError(
    field,
    "a position, such as a message's `position`",
    typeof text === "string" ? said("another text") : text,
  );
}
