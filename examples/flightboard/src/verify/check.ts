/** A check compares what is on the server with what it should be and keeps the first few differences. */
import { isDeepStrictEqual } from "node:util";

export interface CheckResult {
  readonly name: string;
  /** Numbers, lists and answers compared. */
  readonly compared: number;
  readonly wrong: number;
  /** The first differences, in words. */
  readonly examples: readonly string[];
}

const EXAMPLES = 5;

export class Check {
  readonly #name: string;
  #compared = 0;
  #wrong = 0;
  readonly #examples: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  equal(what: string, actual: unknown, expected: unknown): void {
    this.that(what, isDeepStrictEqual(actual, expected), () => `${show(actual)} instead of ${show(expected)}`);
  }

  that(what: string, holds: boolean, difference: () => string = () => "does not hold"): void {
    this.#compared += 1;
    if (holds) return;
    this.#wrong += 1;
    if (this.#examples.length < EXAMPLES) this.#examples.push(`${what}: ${difference()}`);
  }

  result(): CheckResult {
    return { name: this.#name, compared: this.#compared, wrong: this.#wrong, examples: this.#examples };
  }
}

/** Runs `body`; an exception is a difference like any other. */
export async function check(name: string, body: (check: Check) => Promise<void>): Promise<CheckResult> {
  const result = new Check(name);
  await body(result).catch((error: unknown) => result.that("ran to its end", false, () => String(error)));
  return result.result();
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
