/** A connection, and the subject over it. */
import { holdfast, type Holdfast } from "holdfast";
import type { QueueConfig } from "./job.ts";
import { openQueue } from "./ours.ts";
import { openPopped } from "./popped.ts";
import type { Subject } from "./subject.ts";
import { openUnfenced } from "./unfenced.ts";

const CONNECTION = { timeout: "4s", pingInterval: "500ms", pingTimeout: "1s" } as const;

export function openSubject(config: QueueConfig): { readonly hf: Holdfast; readonly subject: Subject } {
  // Not `connect`: it gives up where a process begins in the middle of a fault.
  const hf = holdfast(config.url, { ...CONNECTION, prefix: config.prefix });
  const open = { queue: openQueue, popped: openPopped, unfenced: openUnfenced }[config.subject];
  return { hf, subject: open(hf, config) };
}
