/** The first code that a newcomer sees: type-checked and run here, and the same as in README.md. */
/* oxlint-disable no-unused-expressions -- it shows what a lock has */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { connect } from "../src/index.ts";
import { startStandalone } from "./support/servers.ts";

interface User {
  readonly name: string;
}

const README = new URL("../../../README.md", import.meta.url);
const FIRST_CODE = /```ts\nimport \{ connect \} from "holdfast";[^\n]*\n(.*?)```/s;
const THIS_CODE = /\n {2}\/\/ README begins\n(.*?) {2}\/\/ README ends\n/s;
const MAX_LINES = 12;

/** Statements without the comments and the space between them, which may differ. */
function statements(code: string): string[] {
  return code
    .replace(/\s*\/\/ .*$/gm, "")
    .split(/;\s*/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

it("README's first code runs [standalone]", async () => {
  await using server = await startStandalone();
  const process = { env: { REDIS_URL: server.url as string | undefined } };
  const db = { user: async (id: string): Promise<User> => ({ name: id }) };
  const id = "ada";
  const ip = "192.0.2.1";

  // README begins
  await using hf = await connect(process.env.REDIS_URL);

  const users = hf.cache<User>("users", { ttl: "1h" });
  const user = await users.getOrSet(id, () => db.user(id));

  await using held = await hf.lock("invoice:42").acquire();
  held.signal;
  held.fence;

  const api = hf.limiter("api", { limit: 100, window: "1m" });
  const { allowed, retryAfterMs } = await api.consume(ip);
  // README ends

  expect(user).toEqual({ name: "ada" });
  expect(held.held).toBe(true);
  expect({ allowed, retryAfterMs }).toEqual({ allowed: true, retryAfterMs: 0 });
});

it("is what README shows, and as short as it should be", () => {
  const shown = FIRST_CODE.exec(readFileSync(README, "utf8"))?.[1] ?? "";
  const run = THIS_CODE.exec(readFileSync(new URL(import.meta.url), "utf8"))?.[1] ?? "";
  expect(statements(shown)).toEqual(statements(run));
  expect(shown.split("\n").filter((line) => line.trim() !== "").length).toBeLessThan(MAX_LINES);
});
