/**
 * Users with an e-mail address that no two of them have, found by it and by country and age: a page of a list costs as much in the millionth
 * user as in the hundredth. Two sign-ups with one address at the same moment leave one user; a process that dies between two steps blocks
 * an address for a minute.
 */
import type { Holdfast, RecordFound, Records } from "holdfast";

export interface User {
  readonly email: string;
  readonly name: string;
  readonly country: string;
  readonly born: number;
  readonly interests?: readonly string[];
}

export interface UserPage {
  readonly users: readonly { readonly id: string; readonly name: string }[];
  readonly next: string | undefined;
}

export class Users {
  readonly #users: Records<User>;

  constructor(hf: Holdfast) {
    this.#users = hf.records<User>("users", {
      ttl: "365d",
      unique: ["email"],
      index: ["country", "born", "interests"],
    });
  }

  /** False where somebody has the address. */
  async signUp(id: string, user: User): Promise<boolean> {
    const folded = { ...user, email: folding(user.email) };
    const result = await this.#users.set(id, folded, { version: 0 });
    return result.status === "ok";
  }

  async changeEmail(id: string, email: string): Promise<"ok" | "taken" | "missing"> {
    const result = await this.#users.patch(id, { email: folding(email) });
    return result.status === "conflict" ? "taken" : result.status;
  }

  async byEmail(email: string): Promise<RecordFound<User> | undefined> {
    return this.#users.getBy("email", folding(email));
  }

  /** The youngest first. */
  async adults(country: string, bornBefore: number, cursor?: string): Promise<UserPage> {
    const page = await this.#users.find(
      { country, born: { lt: bornBefore } },
      { sort: "born", order: "desc", limit: 20, fields: ["name"], ...(cursor !== undefined && { cursor }) },
    );
    return { users: page.records.map(({ id, value }) => ({ id, name: value.name })), next: page.cursor };
  }

  async interestedIn(interest: string, country: string): Promise<number> {
    return this.#users.count({ interests: interest, country });
  }

  move(id: string, country: string): Promise<unknown> {
    return this.#users.patch(id, { country });
  }

  leave(id: string): Promise<boolean> {
    return this.#users.delete(id);
  }
}

/** As texts are compared as they are. */
function folding(email: string): string {
  return email.trim().toLowerCase();
}
