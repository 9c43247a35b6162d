import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "../server.ts";
import { type Oracle, startOracle } from "../testing/differential.ts";
import { RawClient } from "../testing/raw-client.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

/** Client numbers differ between two servers. */
const withoutId = (reply: string): string => reply.replace(/(\$2\r\nid\r\n):\d+/, "$1:N");

describe("a connection answers as Redis does", () => {
  it("greets, echoes, selects", () =>
    oracle.expectSame([
      "PING",
      "PING hello",
      "PING a b",
      "ECHO x",
      "ECHO",
      "SELECT 1",
      "SET a 1",
      "SELECT 16",
      "SELECT -1",
      "SELECT x",
      "SELECT 0",
      "GET a",
      "AUTH x",
      "AUTH nobody x",
      "AUTH default x",
      "AUTH a b c",
    ]));

  it("refuses what it does not know", () =>
    oracle.expectSame([
      "NOSUCH",
      "NOSUCH a b c",
      ["NOSUCH", "a\r\nb", "x".repeat(200), "y"],
      ["N".repeat(200)],
      "GET",
      "get a b",
      "CLIENT",
      "CLIENT NOSUCH",
      "CLIENT NOSUCH x",
      "CLIENT ID x",
      "OBJECT ENCODING",
      "CONFIG GET",
      "PUBSUB NOSUCH",
    ]));

  it("changes protocol with HELLO", () =>
    oracle.expectSame(
      [
        "HELLO",
        "HELLO 2",
        "HELLO 3 SETNAME me",
        "CLIENT GETNAME",
        "HELLO 4",
        "HELLO x",
        "HELLO 3 BAD",
        "HELLO 2 SETNAME 'a b'",
        "HELLO 3 AUTH nobody x",
        "HELLO 2 SETNAME",
        "RESET",
        "CLIENT GETNAME",
      ],
      { normalise: withoutId },
    ));

  it("reads inline commands, and closes on nonsense", async () => {
    for (const bytes of [
      "*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfoo\r\n",
      "*2\r\n$4\r\nECHO\r\n$-5\r\n",
      "*2\r\n$4\r\nECHO\r\n$x\r\n",
      "*x\r\n",
      "*99999999999\r\n",
      "*2\r\n$4\r\nECHO\r\n$99999999999\r\n",
      'ECHO "unbalanced\r\n',
      "*01\r\n",
      "*-0\r\n",
      "*1\r\n$04\r\nPING\r\n",
      "*1\r\n$-0\r\n\r\n",
      "ECHO \xa0\r\n\v\fECHO a\vb\r\nQUIT\r\n",
      "QUIT\r\n",
      "\r\n*0\r\n*-1\r\nECHO \"a\\x41\\n\" \r\nECHO 'it\\'s'\nPING\r\nQUIT\r\n",
    ]) {
      const pair = await oracle.connect();
      await pair.sameUntilClosed(bytes);
    }
  });

  it("does nothing for a browser that a web page sends to its port", async () => {
    const body = "Content-Length: 99\r\n\r\nSET page was-here\r\nQUIT\r\n";
    for (const request of [
      "POST / HTTP/1.1\r\nHost: x\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\n",
      "*2\r\n$4\r\npost\r\n$1\r\nx\r\n",
    ]) {
      await (await oracle.connect()).sameUntilClosed(request + body);
    }
    const pair = await oracle.connect();
    expect(await pair.same("EXISTS page")).toBe(":0\r\n");
    pair.close();
  });

  it("mutes its answers when told to", async () => {
    const pair = await oracle.connect();
    await pair.both("CLIENT SETNAME before");
    const [real, embedded] = await pair.raw(
      "CLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nPING\r\nPING end\r\n",
      2,
    );
    expect(embedded).toBe(real);
    pair.close();
  });
});

describe("passwords", () => {
  it("let nobody in without one, as Redis", async () => {
    await using server = createServer({ password: "secret", users: { ada: "lovelace" } });
    await server.listen();
    const client = await RawClient.connect(server.port);
    expect(await client.send(["GET", "a"])).toBe("-NOAUTH Authentication required.\r\n");
    expect(await client.send(["AUTH", "wrong"])).toMatch(/^-WRONGPASS /);
    expect(await client.send(["HELLO", "3"])).toMatch(/^-NOAUTH HELLO must be called/);
    expect(await client.send(["AUTH", "secret"])).toBe("+OK\r\n");
    expect(await client.send(["ACL", "WHOAMI"])).toBe("$7\r\ndefault\r\n");
    expect(await client.send(["HELLO", "3", "AUTH", "ada", "lovelace"])).toMatch(/^%7\r\n/);
    expect(await client.send(["ACL", "WHOAMI"])).toBe("$3\r\nada\r\n");
    expect(await client.send(["ACL", "USERS"])).toBe("*2\r\n$3\r\nada\r\n$7\r\ndefault\r\n");
    expect(await client.send(["CLIENT", "INFO"])).toContain(" user=ada ");
    expect(await client.send(["RESET"])).toBe("+RESET\r\n");
    expect(await client.send(["PING"])).toBe("-NOAUTH Authentication required.\r\n");
    client.close();
  });

  it("limit what may be sent before them", async () => {
    await using server = createServer({ password: "secret" });
    await server.listen();
    const long = await RawClient.connect(server.port);
    expect(await long.untilClosed("*1\r\n$16385\r\n")).toBe("-ERR Protocol error: unauthenticated bulk length\r\n");
    const wide = await RawClient.connect(server.port);
    expect(await wide.untilClosed("*11\r\n")).toBe("-ERR Protocol error: unauthenticated multibulk length\r\n");
  });
});
