/** What is stored and asked for in all suites. */

export interface User {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly address: { readonly street: string; readonly city: string; readonly zip: string };
  readonly active: boolean;
  readonly score: number;
}

/** 200 bytes of JSON. */
export function user(id: number): User {
  return {
    id,
    name: "Ada Lovelace",
    email: `ada.lovelace.${id}@example.com`,
    roles: ["admin", "author"],
    address: { street: "12 St James's Square", city: "London", zip: "SW1Y 4LB" },
    active: true,
    score: 42.5,
  };
}

export const KEYS: readonly string[] = Array.from({ length: 1000 }, (_, at) => `bench:${at}`);

export function keyFor(turn: number): string {
  return KEYS[turn % KEYS.length]!;
}

/** For a loader that must never be asked. */
export function neverMissing(): never {
  throw new Error("every key is there");
}
