import { once } from "node:events";
import { createConnection } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer, type EmbeddedServer } from "../server.ts";
import { RawClient } from "../testing/raw-client.ts";

let server: EmbeddedServer;
beforeAll(async () => {
  server = createServer();
  await server.listen();
});
afterAll(() => server.close());

it("sends a waiting client a value of more bytes than a subscriber may leave unread", async () => {
  const waiter = createConnection(server.port).setEncoding("latin1");
  waiter.write("BLPOP queue 0\r\n");
  await expect.poll(() => server.engine.blocked.size).toBe(1);
  const writer = server.connectInProcess();
  writer.send(["RPUSH", "queue", "x".repeat(40_000_000)], () => undefined);
  const expected = "*2\r\n$5\r\nqueue\r\n$40000000\r\n\r\n".length + 40_000_000;
  let received = 0;
  for await (const text of waiter as AsyncIterable<string>) {
    received += text.length;
    if (received >= expected) break;
  }
  expect(received).toBe(expected);
  writer.disconnect();
});

it("cuts off a client that waits and goes on sending, at client-query-buffer-limit", async () => {
  const admin = await RawClient.connect(server.port);
  await admin.send(["CONFIG", "SET", "client-query-buffer-limit", "1mb"]);
  const socket = createConnection(server.port).on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write("BLPOP nothing 0\r\n");
  socket.write("x".repeat(2_000_000));
  await closed;
  await admin.send(["CONFIG", "SET", "client-query-buffer-limit", "1gb"]);
  expect(await admin.send(["PING"])).toBe("+PONG\r\n");
  admin.close();
});

it("refuses values and replies that no string can hold, and lives on", async () => {
  const client = await RawClient.connect(server.port);
  expect(await client.send(["SETRANGE", "a", String(2 ** 29 - 64), "x"])).toBe(
    "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
  );
  await client.send(["SET", "a", "x".repeat(14_000_000)]);
  expect(await client.send(["MGET", ...Array.from({ length: 40 }, () => "a")])).toMatch(
    /^-ERR the reply has more than/,
  );
  expect(await client.send(["STRLEN", "a"])).toBe(":14000000\r\n");
  client.close();
});

it.each(["SRANDMEMBER set", "HRANDFIELD hash", "ZRANDMEMBER zset"])(
  "refuses to draw more than a reply can hold: %s",
  async (command) => {
    const client = await RawClient.connect(server.port);
    for (const line of ["SADD set a", "HSET hash a 1", "ZADD zset 1 a"]) await client.send(line.split(" "));
    for (const count of ["-100000000", "-4611686018427387903", "-9223372036854775807"]) {
      expect(await client.send([...command.split(" "), count])).toBe("-ERR value is out of range\r\n");
    }
    client.close();
  },
);

/** An address of this machine by which it is not itself, where it has one. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;

describe.skipIf(outside === undefined)("protected-mode", () => {
  const first = async (port: number): Promise<string> => {
    const socket = createConnection({ port, host: outside });
    socket.write("PING\r\n");
    const [data] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    return data.toString();
  };

  it("lets nobody in from outside while there is no password", async () => {
    await using open = createServer({ host: "0.0.0.0" });
    await open.listen();
    expect(await first(open.port)).toMatch(/^-DENIED .* CONFIG SET protected-mode no/);
    const admin = await RawClient.connect(open.port);
    await admin.send(["CONFIG", "SET", "protected-mode", "no"]);
    expect(await first(open.port)).toBe("+PONG\r\n");
    admin.close();
  });

  it("lets everybody try a password", async () => {
    await using closed = createServer({ host: "0.0.0.0", password: "secret" });
    await closed.listen();
    expect(await first(closed.port)).toMatch(/^-NOAUTH/);
  });

  it("an empty host is this machine only", async () => {
    await using server = createServer({ host: "" });
    await server.listen();
    await expect(first(server.port)).rejects.toThrow(/ECONNREFUSED/);
  });
});
