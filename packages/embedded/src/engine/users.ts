/** Named users with passwords. Every user may do everything: rules are for a later version. */
import { createHash, timingSafeEqual } from "node:crypto";

export interface User {
  readonly name: string;
  /** May connect without a password. */
  open: boolean;
  enabled: boolean;
  /** SHA-256 of each password. */
  readonly passwords: Buffer[];
}

export class Users {
  readonly default: User = { name: "default", open: true, enabled: true, passwords: [] };
  readonly #users = new Map<string, User>([["default", this.default]]);

  /** @param passwords by user name */
  constructor(passwords: Readonly<Record<string, string>> = {}) {
    for (const [name, password] of Object.entries(passwords)) this.setPassword(name, password);
  }

  /** Replaces all passwords of a user, who is made where missing. An empty one opens the user to everybody. */
  setPassword(name: string, password: string): void {
    const user = this.#users.get(name) ?? { name, open: false, enabled: true, passwords: [] };
    this.#users.set(name, user);
    user.open = password === "";
    user.passwords.length = 0;
    if (password !== "") user.passwords.push(digest(password));
  }

  get(name: string): User | undefined {
    return this.#users.get(name);
  }

  names(): string[] {
    return [...this.#users.keys()].sort();
  }

  /** The user, or undefined when name or password is wrong or the user is disabled. */
  authenticate(name: string, password: string): User | undefined {
    const user = this.#users.get(name);
    if (user === undefined || !user.enabled) return undefined;
    const given = digest(password);
    return user.open || user.passwords.some((known) => timingSafeEqual(known, given)) ? user : undefined;
  }
}

function digest(password: string): Buffer {
  return createHash("sha256").update(password, "latin1").digest();
}
