/** What a user reads when there is no connection: the code, whether it was given up at once, and no secrets. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HoldfastError } from "../../src/base/errors.ts";
import { startStandalone, type Standalone } from "../support/servers.ts";
import { startTls, type TlsServer } from "../support/tls.ts";
import { call, failureOf, openDriver, type OpenOptions } from "./support.ts";

/** For what is tried again until the time is up; what cannot get better must be told at once, whatever the limit. */
/** So long that a busy machine has tried once by then. */
const BRIEFLY = { connectTimeout: 2_000 };

/** Fails the test if connecting succeeds. */
async function refusal(options: OpenOptions): Promise<HoldfastError> {
  const error = await failureOf(openDriver({ connectTimeout: "1m", ...options }).then((driver) => driver.close()));
  expect(error).toBeInstanceOf(HoldfastError);
  return error;
}

async function listen(answer: (socket: Socket) => void): Promise<Server & { url: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return Object.assign(server, { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

describe("connecting to a server with TLS and users [tls]", () => {
  let server: TlsServer;
  let strict: TlsServer;
  beforeAll(async () => {
    [server, strict] = await Promise.all([startTls(), startTls({ clientCertificate: "required" })]);
  });
  afterAll(() => Promise.all([server.stop(), strict.stop()]));

  it("names a wrong password, without showing it", async () => {
    const url = new URL(server.urlFor("app"));
    url.password = "s3cret-but-wrong";
    const error = await refusal({ url: url.href, tls: { ca: server.ca } });
    expect(error).toMatchObject({ code: "AUTH", retryable: false });
    expect(error.message).toContain("check the user name and the password");
    expect(error.message).not.toContain("s3cret");
  });

  it("names a missing password", async () => {
    const url = new URL(server.url);
    url.username = url.password = "";
    const error = await refusal({ url: url.href, tls: { ca: server.ca } });
    expect(error).toMatchObject({ code: "AUTH", retryable: false });
    expect(error.message).toContain("asks for a password");
  });

  it("takes the password from a credentials provider, again for each connection", async () => {
    const url = new URL(server.url);
    const given = { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
    url.username = url.password = "";
    let asked = 0;
    const credentials = async (): Promise<typeof given> => {
      asked += 1;
      return given;
    };
    await using driver = await openDriver({ url: url.href, tls: { ca: server.ca }, credentials });
    expect(asked).toBe(1);
    const lease = await driver.lease(undefined, call());
    lease.release();
    expect(asked).toBe(2);
  });

  it("names a missing permission", async () => {
    await using driver = await openDriver({ url: server.urlFor("limited"), tls: { ca: server.ca } });
    expect(await driver.send(["SET", "allowed:1", "x", "PX", "60000"], call("idempotent"))).toBe("OK");
    const error = await failureOf(driver.send(["GET", "forbidden:1"], call()));
    expect(error).toMatchObject({ code: "PERMISSION", retryable: false });
  });

  it("names a certificate for another host, and one of an unknown authority", async () => {
    const wrongName = await refusal({ url: server.url, tls: { ca: server.ca, servername: "elsewhere.example" } });
    expect(wrongName).toMatchObject({ code: "AUTH", retryable: false });
    expect(wrongName.message).toContain("tls.servername");
    const unknown = await refusal({ url: server.url });
    expect(unknown).toMatchObject({ code: "AUTH", retryable: false });
    expect(unknown.message).toContain("tls.ca");
  });

  it("needs the client's certificate where the server asks for it", async () => {
    const { ca, client } = strict;
    const error = await refusal({ url: strict.url, tls: { ca } });
    expect(error).toMatchObject({ code: "AUTH", retryable: false });
    expect(error.message).toContain("give tls.cert and tls.key");
    await using driver = await openDriver({ url: strict.url, tls: { ca, cert: client.cert, key: client.key } });
    expect(await driver.send(["PING"], call())).toBe("PONG");
  });

  it("suggests TLS when a server that wants it hangs up", async () => {
    const error = await refusal({ url: server.url.replace("rediss:", "redis:"), ...BRIEFLY });
    expect(error).toMatchObject({ code: "UNAVAILABLE" });
    expect(error.message).toContain("TLS");
  });
});

describe("connecting to a server alone [standalone]", () => {
  let server: Standalone;
  beforeAll(async () => {
    server = await startStandalone();
  });
  afterAll(() => server.stop());

  it("names an unreachable host, after trying for as long as connectTimeout", async () => {
    const error = await refusal({ url: "redis://127.0.0.1:1", ...BRIEFLY });
    expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect(error.message).toContain("nothing listens there");
  });

  it("names the reason of each address of a cluster", async () => {
    const error = await refusal({ url: "redis-cluster://127.0.0.1:1,127.0.0.1:2", ...BRIEFLY });
    expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    for (const port of [1, 2]) expect(error.message).toContain(`127.0.0.1:${port}: connect ECONNREFUSED`);
    expect(error.message).toContain("nothing listens there");
    expect(error.message).not.toContain("promises");
  });

  it("names the address of a cluster that no waiting mends, beside one that is down", async () => {
    const { host } = new URL(server.url);
    const error = await refusal({ url: `redis-cluster://127.0.0.1:1,${host}` });
    expect(error).toMatchObject({ code: "SERVER", retryable: false });
    expect(error.message).toContain("127.0.0.1:1: connect ECONNREFUSED");
    expect(error.message).toContain(`${host}: ERR This instance has cluster support disabled`);
    expect(error.message).toContain("use redis://");
  });

  it("names a host that does not resolve", async () => {
    const error = await refusal({ url: "redis://no-such-host.invalid", ...BRIEFLY });
    expect(error.code).toBe("UNAVAILABLE");
    expect(error.message).toContain("does not resolve");
  });

  it("names a server that accepts and says nothing", async () => {
    const silent = await listen(() => undefined);
    const error = await refusal({ url: silent.url, ...BRIEFLY });
    expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect(error.message).toContain("no answer");
    silent.close();
  });

  it("names what is not a Redis server", async () => {
    const other = await listen((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect((await refusal({ url: other.url })).message).toContain("not a Redis or Valkey server");
    other.close();
  });

  it("names a password that the server does not want, and a wrong database", async () => {
    const user = await refusal({ url: `redis://nobody:x@127.0.0.1:${server.port}` });
    expect(user).toMatchObject({ code: "AUTH", retryable: false });
    const database = await refusal({ url: `${server.url}/99` });
    expect(database).toMatchObject({ code: "SERVER", retryable: false });
    expect(database.message).toContain("check the database number");
  });

  it("names a server that is not part of a cluster", async () => {
    const error = await refusal({ url: server.url.replace("redis:", "redis-cluster:") });
    expect(error).toMatchObject({ code: "SERVER", retryable: false });
    expect(error.message).toContain("use redis://");
  });

  it("names sentinels that cannot be reached", async () => {
    const error = await refusal({ url: "redis-sentinel://127.0.0.1:1,127.0.0.1:2/main", ...BRIEFLY });
    expect(error.code).toBe("UNAVAILABLE");
    expect(error.message).toContain("check the sentinels' addresses");
  });

  it("opens the database of the URL, also on leased connections", async () => {
    await using driver = await openDriver({ url: `${server.url}/3` });
    await driver.send(["SET", "where", "three", "PX", "60000"], call("idempotent"));
    const lease = await driver.lease(undefined, call());
    expect(await lease.send(["GET", "where"], call())).toEqual(Buffer.from("three"));
    lease.release();
    expect(await server.command("EXISTS", "where")).toBe(0);
  });
});
