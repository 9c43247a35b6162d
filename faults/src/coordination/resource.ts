/**
 * What the locks guard: a counter per name that is read, and written later, as a bank would a balance. It refuses a fence below the
 * highest that it has seen; who shows none is not refused. It outlives every process and server of a scenario.
 */
import type { ResourceAnswer, ResourceAsked } from "./entry.ts";

interface Guarded {
  value: number;
  highest: number;
}

export class Resource {
  readonly #guarded = new Map<string, Guarded>();
  /** By name, the token that was left last. */
  readonly #tokens = new Map<string, { readonly hold: string; readonly token: string }>();
  writes = 0;
  /** Writes of holders that had lost what they held. */
  refused = 0;
  /** Writes that undid another's. */
  lost = 0;

  answer(asked: ResourceAsked): ResourceAnswer {
    const { id, on } = asked;
    if (asked.ask === "hand") {
      this.#tokens.set(on, asked);
      return { id, status: "ok" };
    }
    if (asked.ask === "take") {
      const left = this.#tokens.get(on);
      this.#tokens.delete(on);
      return left === undefined ? { id, status: "refused" } : { id, status: "ok", hold: left.hold, token: left.token };
    }
    const guarded = this.#guarded.get(on) ?? { value: 0, highest: 0 };
    this.#guarded.set(on, guarded);
    if (asked.fence !== undefined) {
      if (asked.fence < guarded.highest) {
        this.refused += 1;
        return { id, status: "refused" };
      }
      guarded.highest = asked.fence;
    }
    if (asked.ask === "write") {
      this.writes += 1;
      if (asked.value !== guarded.value + 1) this.lost += 1;
      guarded.value = asked.value;
    }
    return { id, status: "ok", value: guarded.value };
  }
}
