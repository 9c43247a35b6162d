/**
 * Nothing that a user gave as a secret is in what an error shows: message, cause, stack, or the object written out.
 *
 * What could go wrong, and the test for each:
 * - a server quotes the command that it does not know ...... "HELLO renamed", "a command of no server"
 * - a URL is refused with a part of it ..................... "a bad URL"
 */
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStandalone, type Standalone } from "../support/servers.ts";
import { call, failureOf, openDriver, type OpenOptions } from "./support.ts";

const SECRET = "pl4nted-s3cret";

/** Everything that a log would show of an error. */
function shown(error: unknown): string {
  const texts = [inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error)];
  for (let at = error; at instanceof Error; at = at.cause) texts.push(at.message, at.stack ?? "", JSON.stringify(at));
  return texts.join("\n");
}

async function refusal(options: OpenOptions): Promise<string> {
  return shown(await failureOf(openDriver({ connectTimeout: 300, ...options }).then((driver) => driver.close())));
}

describe("no error shows a secret [standalone]", () => {
  let server: Standalone;
  let renamed: Standalone;
  beforeAll(async () => {
    [server, renamed] = await Promise.all([
      startStandalone(),
      startStandalone({ config: { "rename-command": 'HELLO ""' } }),
    ]);
  });
  afterAll(() => Promise.all([server.stop(), renamed.stop()]));

  it.each([
    `redis://:${SECRET}`,
    `redis://user:${SECRET}`,
    `redis://:${SECRET}@`,
    `redis://h:1/${SECRET}`,
    `redis://h:1?${SECRET}`,
    `redis://h:1?tls=${SECRET}`,
    `redis://user:a/${SECRET}@h`,
    `redis://user:a?${SECRET}@h`,
    `redis://user:a#${SECRET}@h`,
    `redis://user:a@${SECRET}@h`,
    `redis://user:%zz${SECRET}@h`,
    `${SECRET}://h`,
    `embedded:${SECRET}`,
    `unix://${SECRET}`,
    `redis-sentinel://h/main/${SECRET}`,
  ])("a bad URL: %s", async (url) => {
    expect(await refusal({ url })).not.toContain(SECRET);
  });

  it("HELLO renamed: the server quotes the password", async () => {
    const { port } = renamed;
    expect(await refusal({ url: `redis://app:${SECRET}@127.0.0.1:${port}` })).not.toContain(SECRET);
    const error = await failureOf(openDriver({ url: renamed.url, password: SECRET, connectTimeout: 300 }));
    expect(error).toMatchObject({ code: "UNSUPPORTED", retryable: false });
  });

  it("a password that is not wanted, or refused", async () => {
    expect(await refusal({ url: `redis://nobody:${SECRET}@127.0.0.1:${server.port}` })).not.toContain(SECRET);
    expect(await refusal({ url: `redis://:${SECRET}@127.0.0.1:1` })).not.toContain(SECRET);
    expect(await refusal({ url: server.url, tls: SECRET as unknown as boolean })).not.toContain(SECRET);
  });

  it("a command of no server, whose arguments the server quotes", async () => {
    await using driver = await openDriver({ url: server.url });
    const error = await failureOf(driver.send(["NOSUCHCOMMAND", "key", SECRET], call("unsafe")));
    expect(error).toMatchObject({ code: "UNSUPPORTED" });
    expect(shown(error)).not.toContain(SECRET);
  });
});
