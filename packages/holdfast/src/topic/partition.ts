/** Which partition a message belongs to. Every process must say the same, so nothing here depends on what is known locally. */
import { slotOf } from "../driver/slot.ts";

/** @param key what messages that keep their order have in common */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : slotOf(key) % partitions;
}
