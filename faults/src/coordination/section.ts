/** What a holder does with what it holds: step by step, each with a look at what it believes. */
import { setTimeout as sleep } from "node:timers/promises";
import { ticks } from "../ledger.ts";
import type { Random } from "../random.ts";
import type { Recorder } from "./recorder.ts";
import type { Held } from "./subject.ts";

const LONGEST_STEP_MS = 25;
const MOST_STEPS = 6;

export interface SectionTerms {
  /** It writes to the guarded resource. */
  readonly guards: boolean;
  /** Its token is left for another. */
  readonly isHandedOn?: boolean;
}

export class Section {
  readonly #recorder: Recorder;
  readonly #random: Random;

  constructor(recorder: Recorder, random: Random) {
    this.#recorder = recorder;
    this.#random = random;
  }

  /** Holds it for some steps, as long as it believes in it, and releases it. */
  async hold(on: string, hold: string, held: Held, { guards, isHandedOn = false }: SectionTerms): Promise<void> {
    const random = this.#random;
    const recorder = this.#recorder;
    const value = guards ? await this.#read(on, hold, held) : undefined;
    if (isHandedOn) await recorder.askResource({ ask: "hand", on, hold, token: held.token! });
    const changeAt = random.integer(0, 2 * MOST_STEPS);
    for (let left = random.integer(1, MOST_STEPS); left > 0 && recorder.believe([hold], held); left -= 1) {
      await sleep(random.integer(1, LONGEST_STEP_MS));
      if (left !== changeAt) continue;
      if (held.downgrade !== undefined)
        await recorder.note({ do: "downgrade", on, hold }, () => held.downgrade!(), done);
      else if (held.upgrade !== undefined) await this.#upgrade(on, hold, held);
      else if (held.extend !== undefined) await recorder.note({ do: "extend", on, hold }, () => held.extend!(), done);
    }
    // Also one that believes in it no longer: what it had begun is under way.
    if (value !== undefined) await this.#write(on, hold, held.fence, value + 1);
    recorder.believe([hold], held);
    await recorder.note({ do: "release", on, hold }, () => held.release(), done);
  }

  async #read(on: string, hold: string, { fence }: Held): Promise<number | undefined> {
    const { status, value } = await this.#recorder.askResource({ ask: "read", on, fence });
    if (status === "ok") return value;
    this.#recorder.write({ what: "refused", hold, at: ticks() });
    return undefined;
  }

  async #write(on: string, hold: string, fence: number | undefined, value: number): Promise<void> {
    const { status } = await this.#recorder.askResource({ ask: "write", on, fence, value });
    if (status === "refused") this.#recorder.write({ what: "refused", hold, at: ticks() });
  }

  async #upgrade(on: string, hold: string, held: Held): Promise<void> {
    const upgrade = (): Promise<{ readonly fence: number }> => held.upgrade!({ wait: "2s" });
    await this.#recorder.note({ do: "upgrade", on, hold }, upgrade, ({ fence }) => ({ status: "ok", fence }));
  }
}

function done(end: unknown): { readonly status: "ok" | "expired" | "stolen" | "missing" } {
  const { status } = (end ?? {}) as { readonly status?: "ok" | "expired" | "stolen" | "missing" };
  return { status: status ?? "ok" };
}
