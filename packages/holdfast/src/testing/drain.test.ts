// What could go wrong, and the test for each:
// - a delayed job, a retry or one added by a handler is left .... "runs what waits, is delayed, fails and is added meanwhile"
// - a job runs before its time .................................. in the same test
// - jobs of another queue are waited for, which nobody runs ..... "runs flows over several queues ..."
// - jobs that can never run keep it going for ever .............. "says what is left"
import { expect, it } from "vitest";
import { drain } from "./drain.ts";
import { createTestServer } from "./test-server.ts";

it("runs what waits, is delayed, fails and is added meanwhile, each at its own time", async () => {
  await using server = await createTestServer({ clock: "virtual" });
  const hf = await server.connect();
  const queue = hf.queue<string>("emails", { backoff: { delay: "10m", jitter: 0, type: "fixed" } });
  const begin = server.clock.now();
  const ran: [string, number][] = [];
  await queue.add("now");
  await queue.add("later", { delay: "3h" });
  const runs = await drain(server, queue, async (job) => {
    ran.push([job.payload, Math.round((server.clock.now() - begin) / 60_000)]);
    if (job.payload === "now") await queue.add("fails once", { delay: "1h" });
    if (job.payload === "fails once" && job.attempt === 1) throw new Error("not yet");
  });
  expect(ran).toEqual([
    ["now", 0],
    ["fails once", 60],
    ["fails once", 70],
    ["later", 180],
  ]);
  expect(runs).toBe(4);
  expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, active: 0, dead: 0, workers: 0 });
});

it("runs flows over several queues, with handlers by name", async () => {
  await using server = await createTestServer({ clock: "virtual" });
  const hf = await server.connect();
  const [albums, images] = [hf.queue<string, string>("albums"), hf.queue<string, string>("images")];
  const ran: string[] = [];
  await albums.add("album", { children: [images.child("cover", { name: "resize", delay: "2h" })] });
  const runs = await drain(server, [
    albums.with(async (job) => {
      ran.push(job.payload);
      const pages = await job.spawn("pages", [images.child("page", { name: "resize" })]);
      return ran.push(...pages.map(({ status }) => status)).toString();
    }),
    images.with({ resize: (job) => String(ran.push(job.payload)) }),
  ]);
  expect(ran).toEqual(["cover", "album", "page", "album", "ok"]);
  expect(runs).toBe(3);
  await images.add("cover", { delay: "3h" });
  await expect(drain(server, [albums.with(() => ""), images.with(() => "")], "1h")).rejects.toThrow(
    'queues "albums", "images": jobs are left after 1h',
  );
  expect(() => drain(server, [])).toThrow("handlings");
  expect(() => drain(server, [albums] as never)).toThrow("handlings");
});

it("says what is left after its limit, and that it needs virtual time", async () => {
  await using server = await createTestServer({ clock: "virtual" });
  const queue = (await server.connect()).queue<number>("late");
  await queue.add(1, { delay: "3h" });
  await expect(drain(server, queue, () => undefined, "2h")).rejects.toThrow(
    'queue "late": jobs are left after 2h: 0 wait, 1 are',
  );
  await using real = await createTestServer();
  const other = (await real.connect()).queue<number>("real");
  await expect(drain(real, other, () => undefined)).rejects.toThrow("the clock of this test server is real");
});
