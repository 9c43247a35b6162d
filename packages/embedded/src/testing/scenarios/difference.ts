import type { Line } from "./comparison.ts";

/** Something that the two servers did differently. */
export interface Difference {
  /** Index of the step after which it was seen; as many as there are steps for the state at the end. */
  readonly step: number;
  /** Index of the connection that saw it; undefined for the state at the end. */
  readonly connection: number | undefined;
  /** The commands that it may be the answer of, the last one first. */
  readonly lines: readonly Line[];
  readonly real: string;
  readonly embedded: string;
  /** What a server failed with, instead of what the two said. */
  readonly failure?: string;
}
