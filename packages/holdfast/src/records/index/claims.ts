/**
 * Claims: which record has a unique value. A claim counts if its record has the value; else its writer is on its way, or it is stale and
 * anybody may replace it, once it is older than a write can be.
 */
import { InvalidArgumentError } from "../../base/errors.ts";
import { ServerClock } from "../../core/clock/server-clock.ts";
import { timeOfToken, TOKEN_LENGTH, valueKey } from "./entry.ts";
import type { IndexStore } from "./store.ts";

/** Twice as long as a record may be written with it. */
const STALE_MS = 60_000;
const ATTEMPTS = 3;
const TEXT = "s".charCodeAt(0);

export interface Claimed {
  readonly key: string;
  readonly stored: string;
  /** Whether it was not this record's before. */
  readonly made: boolean;
}

/** Another record has the value, or (`pending`) is being written with it. */
export class Taken extends Error {
  readonly field: string;
  readonly pending: boolean;

  constructor(field: string, pending: boolean) {
    super(field);
    this.field = field;
    this.pending = pending;
  }
}

export class Claims {
  readonly #store: IndexStore;
  readonly #valueOf: (id: string, field: string) => Promise<Buffer | undefined>;

  /** @param valueOf what a record has in the field now */
  constructor(store: IndexStore, valueOf: (id: string, field: string) => Promise<Buffer | undefined>) {
    this.#store = store;
    this.#valueOf = valueOf;
  }

  keyOf(field: string, value: Buffer): string {
    // All but texts by their bytes, which no text's key is like.
    const isText = value[0] === TEXT;
    return this.#store.claimKey(field, isText ? value.toString("utf8", 0, value.length - 1) : value.toString("hex"));
  }

  /** @throws Taken */
  async claim(field: string, value: Buffer, id: string, token: string, nowMs: number): Promise<Claimed> {
    const key = this.keyOf(field, value);
    let stale = "";
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const answer = await this.#store.claim(key, { token, id, stale });
      if (answer.status !== "held") return { key, stored: token + id, made: answer.status === "made" };
      const current = await this.#valueOf(holderOf(answer.stored), field);
      if (current?.equals(value) === true) throw new Taken(field, false);
      if (nowMs - timeOfToken(answer.stored) <= STALE_MS) throw new Taken(field, true);
      stale = answer.stored;
    }
    throw new Taken(field, true);
  }

  /** Whose claim there is, whether it counts or not. */
  async holder(field: string, value: Buffer): Promise<{ readonly id: string; readonly stored: string } | undefined> {
    const stored = await this.#store.holder(this.keyOf(field, value));
    return stored === undefined ? undefined : { id: holderOf(stored), stored };
  }

  /** Gives back a claim whose record does not have its value, once no writer can be on its way. */
  async releaseStale(field: string, value: Buffer, stored: string): Promise<void> {
    const nowMs = await ServerClock.of(this.#store.driver).required("records", { op: "records.getBy" });
    if (nowMs - timeOfToken(stored) > STALE_MS) await this.#store.unclaim(this.keyOf(field, value), stored);
  }
}

/** @throws InvalidArgumentError for what cannot be unique; what is not there, or null, is nobody's */
export function checkUnique(field: string, value: unknown): void {
  if (canBeUnique(value)) return;
  throw new InvalidArgumentError(field, "a well-formed string, a number, a boolean or a Date, as it is unique", value);
}

export function canBeUnique(value: unknown): boolean {
  if (value === undefined) return true;
  return valueKey(value) !== undefined && (typeof value !== "string" || value.isWellFormed());
}

const holderOf = (stored: string): string => stored.slice(TOKEN_LENGTH);
