// - two users have one address ................. "an address is one user's"
// - a list has gaps, or what has moved away .... "pages of a country"
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { type User, Users } from "./users-by-country.ts";

describe.each(backends("standalone", "embedded"))("cookbook: users by country [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  async function pair(): Promise<[Users, Users]> {
    const prefix = `cook-${randomUUID()}`;
    const open = (): Promise<Holdfast> => connect(url, { ...options, prefix, timeout: "30s" });
    const [a, b] = await Promise.all([open(), open()]);
    handles.push(a, b);
    return [new Users(a), new Users(b)];
  }
  const user = (email: string, more: Partial<User> = {}): User => ({
    email,
    name: email,
    country: "DE",
    born: 2_000,
    ...more,
  });

  it("an address is one user's, and free once it is given up", async () => {
    const [here, there] = await pair();
    const signUps = ["a", "b", "c", "d"].map((id, at) => (at % 2 ? here : there).signUp(id, user("Ada@Example.com ")));
    expect((await Promise.all(signUps)).filter(Boolean)).toHaveLength(1);
    const { id } = (await there.byEmail("ada@example.com"))!;
    expect(await here.changeEmail(id, "ada@example.org")).toBe("ok");
    expect(await there.signUp("e", user("ada@example.com"))).toBe(true);
    expect(await here.changeEmail(id, "ada@example.com")).toBe("taken");
    expect(await here.leave("e")).toBe(true);
    expect(await there.changeEmail(id, "ada@example.com")).toBe("ok");
  });

  it("pages of a country, the youngest first, without those who have moved away", async () => {
    const [here, there] = await pair();
    const ids = Array.from({ length: 50 }, (_, at) => `u${at}`);
    await Promise.all(
      ids.map((id, at) =>
        here.signUp(id, user(`${id}@x`, { born: 1_950 + at, interests: at % 2 ? ["chess"] : ["go", "chess"] })),
      ),
    );
    await there.move("u40", "FR");
    const born: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await there.adults("DE", 1_995, cursor);
      born.push(...page.users.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(born).toEqual(
      ids
        .slice(0, 45)
        .filter((id) => id !== "u40")
        .toReversed(),
    );
    expect(await here.interestedIn("go", "DE")).toBe(24);
    expect(await here.interestedIn("chess", "FR")).toBe(1);
  });
});
