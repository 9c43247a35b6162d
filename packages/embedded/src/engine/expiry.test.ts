import fc from "fast-check";
import { expect, it } from "vitest";
import { VirtualClock } from "../base/clock.ts";
import { createServer } from "../server.ts";
import { SeededRandom } from "../base/random.ts";

/** Few keys and many changes: nearly all deadlines become stale, and are dropped more than once. */
it("ends each key at its last deadline, through any number of earlier ones", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = new SeededRandom(seed);
      const clock = new VirtualClock(0);
      const connection = createServer({ clock }).connectInProcess();
      const deadlines = new Map<string, number>();
      for (let i = 0; i < 4000; i += 1) {
        const key = String(random.integer(0, 9));
        const atMs = random.pick([500, deadlines.get(key) ?? 500, random.integer(1, 1000), Infinity]);
        connection.send(["SET", key, "value"], () => undefined);
        if (atMs !== Infinity) connection.send(["PEXPIREAT", key, String(atMs)], () => undefined);
        deadlines.set(key, atMs);
      }
      for (let step = 0; step < 10; step += 1) {
        clock.advance(110);
        const alive = [...deadlines.values()].filter((atMs) => atMs >= clock.nowMs()).length;
        // DBSIZE looks at no key, so what has gone has gone by itself.
        connection.send(["DBSIZE"], (reply) => expect(reply).toBe(alive));
      }
    }),
    { numRuns: 20 },
  );
});
