// What could go wrong, and the test for each:
// - a password that was given is ignored ............... "takes the default user's password from either place"
// - two are given, and one is ignored ................... "refuses"
// - a variable of the environment is empty .............. "refuses", "an empty password is none"
import { expect, it } from "vitest";
import type { Reply } from "../base/reply.ts";
import { createServer, type EmbeddedServer, type ServerOptions } from "../server.ts";

const ask = (server: EmbeddedServer, line: string): Promise<Reply> =>
  new Promise((resolve) => server.connectInProcess().send(line.split(" "), resolve));

it.each<ServerOptions>([{ password: "open sesame" }, { users: { default: "open sesame" } }])(
  "takes the default user's password from either place: %o",
  async (options) => {
    await using server = createServer(options);
    expect(await ask(server, "PING")).toMatchObject({ message: "NOAUTH Authentication required." });
    const client = server.connectInProcess();
    const reply = await new Promise<Reply>((resolve) => client.send(["AUTH", "open sesame"], resolve));
    expect(reply).toMatchObject({ text: "OK" });
    const shown = await new Promise((resolve) => client.send(["CONFIG", "GET", "requirepass"], resolve));
    expect(shown).toMatchObject({ entries: ["requirepass", "open sesame"] });
  },
);

it.each<[ServerOptions, RegExp]>([
  [{ password: "a", users: { default: "b" } }, /password and users\.default .* leave one of them out/],
  [{ users: { ada: "" } }, /users\.ada: the password must be a string that is not empty/],
  [{ users: { default: "" } }, /users\.default: the password/],
  [{ users: { ada: undefined as unknown as string } }, /users\.ada: the password/],
  [{ users: { "": "secret" } }, /^users: "" is no name/],
  [{ users: { "a b": "secret" } }, /^users: "a b" is no name/],
])("refuses %o", (options, message) => {
  expect(() => createServer(options)).toThrow(message);
  expect(() => createServer(options)).not.toThrow(/secret/);
});

it("an empty password is none", async () => {
  await using server = createServer({ password: "" });
  expect(await ask(server, "PING")).toMatchObject({ text: "PONG" });
});
