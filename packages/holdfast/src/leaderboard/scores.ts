/**
 * Scores as the server orders them: one double each. With a subscore both are packed in it, as whole numbers:
 * `score * (max + 1) + subscore`, the subscore turned round where it is ordered the other way than the board. That is exact,
 * as no packed number is beyond 2^53 - 1, so the greater `max` is, the smaller are the scores.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, type OptionNames, wholeBetween } from "../base/options.ts";

export type LeaderboardOrder = "desc" | "asc";

export interface LeaderboardSubscoreOptions {
  /** The greatest subscore; the least is 0. Scores are then whole numbers within ±(2^53 / (max + 1) - 1). */
  readonly max: number;
  /** Which subscores are better. @default the board's `order` */
  readonly order?: LeaderboardOrder;
}

/** Scores from `min` to `max`, both included; without one of them, without that bound. */
export interface LeaderboardRange {
  readonly min?: number;
  readonly max?: number;
}

/** A range as ZCOUNT takes it. */
export interface ScoreRange {
  readonly low: string;
  readonly high: string;
  /** Where what is lower, and what is higher, begins. */
  readonly below: string;
  readonly above: string;
}

export interface Score {
  readonly score: number;
  readonly subscore?: number;
}

const NAMES: OptionNames<LeaderboardSubscoreOptions> = { max: true, order: true };
/** Leaves room for scores up to 2^13. */
const MAX_SUBSCORE = 2 ** 40 - 1;

/** Scores are doubles: exact for whole numbers up to 2^53 - 1, about 16 digits for fractions. */
export class Scoring {
  /** What 1 of a score is; 0 where there are no subscores. */
  readonly unit: number;
  readonly #isTurned: boolean;
  readonly #most: number;

  constructor(boardOrder: LeaderboardOrder, given: LeaderboardSubscoreOptions | undefined) {
    this.unit = 0;
    this.#isTurned = false;
    this.#most = Number.MAX_SAFE_INTEGER;
    if (given === undefined) return;
    const { max, order = boardOrder } = givenOptions(given, NAMES, "subscore");
    if (order !== "desc" && order !== "asc") throw new InvalidArgumentError("subscore.order", '"desc" or "asc"', order);
    this.unit = wholeBetween("subscore.max", max, 1, MAX_SUBSCORE) + 1;
    this.#isTurned = order !== boardOrder;
    this.#most = Math.floor(2 ** 53 / this.unit) - 1;
  }

  get hasSubscores(): boolean {
    return this.unit > 0;
  }

  pack(score: number, subscore: number | undefined): number {
    const checked = this.amount("score", score);
    if (!this.hasSubscores && subscore === undefined) return checked;
    return checked + this.subscore(subscore ?? missing("a whole number, as the board has subscores"));
  }

  /** What is added to a packed score. */
  amount(field: string, value: number): number {
    if (this.hasSubscores) return wholeBetween(field, value, -this.#most, this.#most) * this.unit;
    if (typeof value === "number" && Math.abs(value) <= this.#most) return value;
    throw new InvalidArgumentError(field, "a number within ±(2^53 - 1)", value);
  }

  /** As it is packed. */
  subscore(value: number): number {
    if (!this.hasSubscores) throw new InvalidArgumentError("subscore", "nothing, as the board was made without", value);
    const checked = wholeBetween("subscore", value, 0, this.unit - 1);
    return this.#isTurned ? this.unit - 1 - checked : checked;
  }

  unpack(packed: number): Score {
    if (!this.hasSubscores) return { score: packed };
    const rest = packed % this.unit;
    const part = rest < 0 ? rest + this.unit : rest + 0;
    return { score: (packed - part) / this.unit + 0, subscore: this.#isTurned ? this.unit - 1 - part : part };
  }

  /** Undefined for all scores. */
  range(given: LeaderboardRange): ScoreRange | undefined {
    const { min, max } = given;
    if (min === undefined && max === undefined) return undefined;
    const low = min === undefined ? undefined : String(this.amount("min", min));
    const top = max === undefined ? undefined : this.amount("max", max);
    if (min !== undefined && max !== undefined && min > max)
      throw new InvalidArgumentError("max", "a number that is not below `min`", max);
    const high = top === undefined ? undefined : String(top + Math.max(this.unit - 1, 0));
    return {
      low: low ?? "-inf",
      high: high ?? "+inf",
      below: low === undefined ? "(-inf" : `(${low}`,
      above: high === undefined ? "(+inf" : `(${high}`,
    };
  }
}

function missing(expected: string): never {
  throw new InvalidArgumentError("subscore", expected, undefined);
}
