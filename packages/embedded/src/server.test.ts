import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "./base/clock.ts";
import type { InProcessConnection } from "./net/in-process.ts";
import { ErrorReply, NIL, OK, Push, type Reply, Status } from "./base/reply.ts";
import { createServer } from "./server.ts";
import { RawClient } from "./testing/raw-client.ts";

const ask = (connection: InProcessConnection, line: string): Promise<Reply> =>
  new Promise((resolve) => connection.send(line.split(" "), resolve));

describe("in this process", () => {
  it("answers in the order of the commands", async () => {
    await using server = createServer();
    const client = server.connectInProcess();
    const replies = await Promise.all(["SET a 1", "GET a", "NOSUCH", "GET b"].map((line) => ask(client, line)));
    expect(replies.slice(0, 2)).toEqual([OK, "1"]);
    expect(replies[2]).toBeInstanceOf(ErrorReply);
    expect(replies[3]).toBe(NIL);
  });

  it("delivers messages, and says when the server ends", async () => {
    const server = createServer();
    const events: unknown[] = [];
    const listener = server.connectInProcess({
      push: (message) => events.push(message),
      closed: () => events.push("closed"),
    });
    await ask(listener, "SUBSCRIBE news");
    expect(await ask(server.connectInProcess(), "PUBLISH news hello")).toBe(1);
    await server.close();
    expect(events).toEqual([new Push(["message", "news", "hello"]), "closed"]);
    await server.close();
  });
});

describe("with a virtual clock", () => {
  it("ends keys at their time, in order, unasked", async () => {
    const clock = new VirtualClock();
    await using server = createServer({ clock });
    const events: unknown[] = [];
    const listener = server.connectInProcess({
      push: (message) => events.push([(message as Push).items.at(-1), clock.nowMs() - start]),
    });
    const client = server.connectInProcess();
    const start = clock.nowMs();
    await ask(client, "CONFIG SET notify-keyspace-events Ex");
    await ask(listener, "SUBSCRIBE __keyevent@0__:expired");
    for (const line of ["SET b 1 PX 20", "SET a 1 PX 10", "SET c 1 PX 5", "PERSIST c", "PEXPIRE b 15"])
      await ask(client, line);
    clock.advance(10);
    expect(await ask(client, "DBSIZE")).toBe(3);
    clock.advance(1000);
    expect(events).toEqual([
      ["a", 11],
      ["b", 16],
    ]);
    expect(await ask(client, "DBSIZE")).toBe(1);
  });

  it("keeps one time for a transaction, and answers with it", async () => {
    const clock = new VirtualClock(1_700_000_000_123);
    await using server = createServer({ clock });
    const client = server.connectInProcess();
    expect(await ask(client, "TIME")).toEqual(["1700000000", "123000"]);
    await ask(client, "SET a 1 PX 1000");
    clock.advance(999);
    expect(await ask(client, "PTTL a")).toBe(1);
  });

  it("holds commands back while it is paused", async () => {
    const clock = new VirtualClock();
    await using server = createServer({ clock });
    const [writer, reader, admin] = [server.connectInProcess(), server.connectInProcess(), server.connectInProcess()];
    expect(await ask(admin, "CLIENT PAUSE 100 WRITE")).toBe(OK);
    const written = ask(writer, "SET a 1");
    const then = ask(writer, "GET a");
    expect(await ask(reader, "GET a")).toBe(NIL);
    clock.advance(100);
    expect(await Promise.all([written, then])).toEqual([OK, "1"]);
    await ask(admin, "CLIENT PAUSE 1000");
    const ping = ask(reader, "PING");
    clock.advance(1000);
    expect(await ping).toEqual(new Status("PONG"));
  });

  it("ends a wait at its time, or by CLIENT UNBLOCK", async () => {
    const clock = new VirtualClock();
    await using server = createServer({ clock });
    const [waiter, other] = [server.connectInProcess(), server.connectInProcess()];
    const first = ask(waiter, "WAIT 1 50");
    const queued = ask(waiter, "PING");
    clock.advance(50);
    expect(await first).toBe(0);
    expect(await queued).toEqual(new Status("PONG"));
    const second = ask(waiter, "WAIT 1 0");
    expect(await ask(other, "CLIENT UNBLOCK 1 ERROR")).toBe(1);
    expect(await second).toEqual(new ErrorReply("UNBLOCKED client unblocked via CLIENT UNBLOCK"));
    expect(await ask(other, "CLIENT UNBLOCK 1")).toBe(0);
  });
});

describe("behind a socket", () => {
  it("listens on a Unix socket", async () => {
    const path = join(tmpdir(), `holdfast-embedded-${randomUUID()}.sock`);
    await using server = createServer({ path });
    await server.listen();
    const socket = createConnection(path).setEncoding("latin1");
    socket.write("PING\r\n");
    const [answer] = (await once(socket, "data")) as [string];
    expect(answer).toBe("+PONG\r\n");
    socket.destroy();
  });

  it("takes the place of a Unix socket that a killed process has left, and of no living one", async () => {
    const path = join(tmpdir(), `holdfast-embedded-${randomUUID()}.sock`);
    const program =
      "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
    await promisify(execFile)(process.execPath, ["-e", program, path]).catch(() => undefined);
    expect(existsSync(path)).toBe(true);
    await using server = createServer({ path });
    await server.listen();
    await using second = createServer({ path });
    await expect(second.listen()).rejects.toThrow("EADDRINUSE");
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  it("leaves a file alone that is no socket", async () => {
    const path = join(tmpdir(), `holdfast-embedded-${randomUUID()}.txt`);
    await writeFile(path, "mine");
    await using server = createServer({ path });
    await expect(server.listen()).rejects.toThrow("EADDRINUSE");
    expect(await readFile(path, "utf8")).toBe("mine");
    await rm(path);
  });

  it("is not waited for in vain when it is closed before it listens", async () => {
    const server = createServer();
    const listening = server.listen();
    await Promise.all([server.close(), expect(listening).rejects.toThrow("closed before it listened")]);
    await Promise.all([server.listen(), server.listen()]);
    expect(server.port).toBeGreaterThan(0);
    await server.close();
  });

  it("listens when the port is free again that was taken", async () => {
    const first = createServer();
    await first.listen();
    await using second = createServer({ port: first.port });
    await expect(second.listen()).rejects.toThrow("EADDRINUSE");
    await first.close();
    await second.listen();
    expect(second.port).toBe(first.port);
    const client = await RawClient.connect(second.port);
    expect(await client.send(["PING"])).toBe("+PONG\r\n");
    client.close();
  });

  it("shows and kills its clients", async () => {
    await using server = createServer();
    await server.listen();
    const [client, victim] = await Promise.all([RawClient.connect(server.port), RawClient.connect(server.port)]);
    await client.send(["CLIENT", "SETNAME", "me"]);
    await victim.send(["CLIENT", "SETNAME", "victim"]);
    const list = await client.send(["CLIENT", "LIST"]);
    expect(list).toMatch(/name=me .*cmd=client\|list/);
    const id = /id=(\d+) [^\n]*name=victim/.exec(list)?.[1] ?? "";
    const gone = victim.untilClosed("");
    expect(await client.send(["CLIENT", "KILL", "ID", id])).toBe(":1\r\n");
    await gone;
    expect(await client.send(["CLIENT", "LIST"])).not.toContain("victim");
    client.close();
  });

  it("ends with SHUTDOWN", async () => {
    const server = createServer();
    await server.listen();
    const client = await RawClient.connect(server.port);
    expect(await client.untilClosed("MULTI\r\nSHUTDOWN\r\nDISCARD\r\nSHUTDOWN BAD\r\nSHUTDOWN NOSAVE\r\n")).toBe(
      "+OK\r\n-ERR Command not allowed inside a transaction\r\n+OK\r\n-ERR syntax error\r\n",
    );
    await server.close();
  });

  it("does not run ahead of a client that does not read", async () => {
    await using server = createServer();
    await server.listen();
    const client = await RawClient.connect(server.port);
    await client.send(["SET", "a", "x".repeat(1_000_000)]);
    const slow = createConnection(server.port);
    await once(slow, "connect");
    slow.pause();
    slow.write("GET a\r\n".repeat(100));
    const { stats } = server.engine;
    while (stats.hits === 0) await client.send(["PING"]);
    expect(stats.hits).toBeLessThan(100);
    let received = 0;
    for await (const chunk of slow as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received >= 100 * 1_000_012) break;
    }
    expect(stats.hits).toBe(100);
    slow.destroy();
    client.close();
  });

  it("cuts off a subscriber that does not read", async () => {
    await using server = createServer();
    await server.listen();
    const slow = createConnection(server.port);
    slow.write("SUBSCRIBE news\r\n");
    await once(slow, "data");
    slow.pause();
    const publisher = server.connectInProcess();
    const message = "x".repeat(4_000_000);
    let receivers: Reply = 1;
    for (let i = 0; i < 100 && receivers === 1; i += 1) {
      receivers = await new Promise((resolve) => publisher.send(["PUBLISH", "news", message], resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(receivers).toBe(0);
    slow.destroy();
  });

  it("fails to listen where somebody does", async () => {
    await using server = createServer();
    await server.listen();
    await using second = createServer({ port: server.port });
    await expect(second.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("comes and goes many times", async () => {
    for (let i = 0; i < 200; i += 1) {
      await using server = createServer();
      await server.listen();
      const client = await RawClient.connect(server.port);
      expect(await client.send(["PING"])).toBe("+PONG\r\n");
      client.close();
    }
  });
});
