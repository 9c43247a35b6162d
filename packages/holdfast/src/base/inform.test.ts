/**
 * What could go wrong, and the test for each:
 * - what a user's function throws ends what informs it, or the process ... "at once or later"
 */
import { expect, it } from "vitest";
import { inform } from "./inform.ts";

it("what is thrown goes to the other function, at once or later", async () => {
  const failures: unknown[] = [];
  const note = (error: unknown): void => void failures.push(error);
  inform(() => {
    throw new Error("at once");
  }, note);
  inform(() => Promise.reject(new Error("later")), note);
  inform(() => undefined, note);
  inform(() => Promise.reject(new Error("to nobody")));
  await new Promise(setImmediate);
  expect(failures).toEqual([new Error("at once"), new Error("later")]);
});
