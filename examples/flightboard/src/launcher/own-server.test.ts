import { connect } from "holdfast";
import { describe, expect, it, vi } from "vitest";
import { startEmbeddedServer } from "./embedded-server.ts";
import { freePort } from "./free-port.ts";
import { startPrivateServer } from "./private-server.ts";

const WRITE = { op: "test.write", class: "idempotent" } as const;
const READ = { op: "test.read", class: "read" } as const;
const LIFE_SECONDS = 3_600;

describe.each([
  ["the embedded server", startEmbeddedServer],
  ["a Redis or Valkey server", startPrivateServer],
])("%s", (_name, start) => {
  it("is back after a blow with all that was acknowledged", async () => {
    const report = vi.fn<(text: string) => void>();
    const server = await start(report);
    try {
      await using hf = await connect(server.url);
      await hf.driver.send(["SET", "a", "kept", "EX", String(LIFE_SECONDS)], WRITE, "a");
      await hf.driver.send(["ZADD", "b", "-0.5", "first"], WRITE, "b");

      expect(server.strike()).toBe(true);
      await vi.waitFor(() => expect(report).toHaveBeenCalled());

      const answer = await vi.waitFor(() => hf.driver.send(["GET", "a"], READ, "a"), { timeout: 20_000 });
      expect(String(answer)).toBe("kept");
      expect(await hf.driver.send(["ZRANK", "b", "first"], READ, "b")).toBe(0);
      const left = Number(await hf.driver.send(["TTL", "a"], READ, "a"));
      expect(left).toBeGreaterThan(LIFE_SECONDS - 60);
      expect(left).toBeLessThanOrEqual(LIFE_SECONDS);
    } finally {
      await server.stop();
    }
  });

  it("does not come back when it is stopped after a blow", async () => {
    const server = await start(() => undefined);
    expect(server.strike()).toBe(true);
    await server.stop();
    expect(server.strike()).toBe(false);
    const port = Number(new URL(server.url).port);
    expect(await freePort(port)).toBe(port);
  });
});
