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

  /**
   * @param passwords by user name; `default` is the user of clients that name none
   * @param password of the default user; empty is none
   */
  constructor(passwords: Readonly<Record<string, string>> = {}, password = "") {
    for (const [name, own] of Object.entries(passwords)) {
      check(name, own);
      this.setPassword(name, own);
    }
    if (password === "") return;
    if (Object.hasOwn(passwords, "default")) {
      throw new TypeError("password and users.default are the password of one user: leave one of them out");
    }
    this.setPassword("default", password);
  }

  /** Replaces all passwords of a user, creating the user where missing. An empty one opens the user to everybody. */
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

/** What is empty, such as a variable of the environment that is not set, would let everybody in. */
function check(name: string, password: unknown): void {
  if (name === "" || /[\s\0]/.test(name)) {
    throw new TypeError(
      `users: ${JSON.stringify(name)} is no name of a user: it must have one character or more, and no spaces`,
    );
  }
  if (typeof password !== "string" || password === "") {
    throw new TypeError(
      `users.${name}: the password must be a string that is not empty; leave the user out to have none`,
    );
  }
}

function digest(password: string): Buffer {
  return createHash("sha256").update(password, "latin1").digest();
}
