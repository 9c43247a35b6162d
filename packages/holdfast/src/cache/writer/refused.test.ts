/**
 * Writing behind on a server whose memory is full:
 * - a write is accepted in part, or reported as accepted ... "refuses, and changes nothing"
 * - what waits cannot be written, so that nothing is freed .. "what waits goes on to the database"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Standalone, startStandalone } from "../../../test/support/servers.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";

describe("a writer behind, and a server whose memory is full [standalone]", () => {
  let server: Standalone;
  let hf: Holdfast;
  beforeAll(async () => {
    server = await startStandalone();
    hf = await connect(server.url);
  });
  afterAll(async () => {
    await hf?.close();
    await server?.stop();
  });

  it("refuses, and changes nothing; what waits goes on to the database", async () => {
    const rows = new Map<string, number | undefined>();
    let failures = 0;
    const cache = hf.cache<number>(randomUUID(), {
      timeout: "20s",
      writer: {
        mode: "behind",
        linger: 0,
        poll: "20ms",
        backoff: "10ms",
        onError: () => undefined,
        write: (entries) => {
          failures += 1;
          if (failures <= 2) throw new Error("the database is away");
          for (const { id, value } of entries) rows.set(id, value);
        },
      },
    });
    await cache.writer.pause();
    await cache.writeMany([
      ["a", 1],
      ["b", 2],
    ]);
    await server.command("CONFIG", "SET", "maxmemory", "1");
    await expect(cache.write("a", 5)).rejects.toMatchObject({ code: "SERVER_FULL" });
    await cache.writer.resume();
    await until("the database has all", async () => (await cache.writer.lag()).count === 0);
    expect(rows).toEqual(
      new Map([
        ["a", 1],
        ["b", 2],
      ]),
    );
    await server.command("CONFIG", "SET", "maxmemory", "0");
    expect(await cache.get("a")).toBe(1);
  });
});
