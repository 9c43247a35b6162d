/** What every loop of a process works with. */
import type { Holdfast } from "holdfast";
import type { Random } from "../random.ts";
import type { CoordinationConfig } from "./entry.ts";
import type { Recorder } from "./recorder.ts";
import type { Section } from "./section.ts";

export interface Parts {
  readonly hf: Holdfast;
  readonly config: CoordinationConfig;
  readonly recorder: Recorder;
  readonly section: Section;
  readonly random: Random;
}
