/** A job of a plan as it lies on the server: a line of JSON, and behind it the record without its time. */
import type { PlanNode } from "./plan.ts";

const NEWLINE = 10;

export function encodeNode({ record, ...head }: PlanNode): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), record]);
}

export function decodeNode(bytes: Buffer): PlanNode {
  const end = bytes.indexOf(NEWLINE);
  const head = JSON.parse(bytes.toString("utf8", 0, end)) as Omit<PlanNode, "record">;
  return { ...head, record: bytes.subarray(end + 1) };
}
