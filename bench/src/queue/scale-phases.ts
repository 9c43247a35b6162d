/** What is done to a queue with many jobs. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Queue } from "holdfast";

export type Payload = { readonly at: number; readonly text: string };
/** Measures what `work` does to so many jobs. */
export type Note = (what: string, jobs: number, work: () => Promise<unknown>) => Promise<void>;
export type Phase = (queue: Queue<Payload>, size: number, note: Note) => Promise<void>;

/** How many of very many are run, die, or are changed one by one. */
const MOST_RUN = 100_000;
const MOST_DEAD = 20_000;
const MOST_SCHEDULES = 10_000;
const MIN_GROUPS = 100;
const CHUNK = 1_000;
const CONCURRENCY = 100;
const TEXT = "x".repeat(94);
const HOUR_MS = 3_600_000;

export const PHASES: Readonly<Record<string, Phase>> = {
  async waiting(queue, size, note) {
    const some = Math.min(size, MOST_RUN);
    await note("add", size, () => addAll(queue, size));
    await looked(queue, "waiting", note);
    await note("run", some, () => ran(queue, some));
    await added(queue, size);
    const half = Math.min(size >> 1, MOST_RUN);
    await note("remove", half, () => queue.where({ state: "waiting" }).remove({ limit: half }));
    await note("drain", size - half, () => queue.drain());
    await added(queue, size);
    await note("obliterate", size, () => queue.obliterate());
  },
  async delayed(queue, size, note) {
    const some = Math.min(size, MOST_RUN);
    const at = new Date(Date.now() + HOUR_MS);
    await note("add", size, () => addAll(queue, size, () => ({ at })));
    await looked(queue, "delayed", note);
    const half = Math.min(size >> 1, MOST_RUN);
    await note("promote", CHUNK, async () => {
      const { jobs } = await queue.page({ state: "delayed", limit: 500 });
      for (let round = 0; round < 2; round += 1) for (const { id } of jobs) await queue.promote(id);
    });
    await note("cancel", half, () => queue.where({ state: "delayed" }).cancel("late", { limit: half }));
    await note("drain", size - half, () => queue.drain());
    const before = Date.now() - HOUR_MS;
    await addAll(queue, size, (place) => ({ at: new Date(before + (place % 1000)) }));
    await note("run those that are due", some, () => ran(queue, some));
  },
  async dead(queue, size, note) {
    const some = Math.min(size, MOST_DEAD);
    await added(queue, size);
    await note("die", some, () => ran(queue, some, () => Promise.reject(new Error("on purpose"))));
    await looked(queue, "dead", note);
    await note("redrive", some, () => queue.dead.redriveAll());
    await note("run", some, () => ran(queue, some));
  },
  async grouped(queue, size, note) {
    // More than a script adds to, in a small queue too: a group that a script has added to already costs it little.
    const groups = Math.max(MIN_GROUPS, Math.ceil(size / 1_000));
    const some = Math.min(size, MOST_RUN);
    await note("add", size, () => addAll(queue, size, (place) => ({ group: `group-${place % groups}` })));
    await looked(queue, "waiting", note);
    await note("run", some, () => ran(queue, some));
    await addAll(queue, some, (place) => ({ group: `group-${place % groups}` }));
    await note("drain", size, () => queue.drain());
  },
  async crowded(queue, size, note) {
    const some = Math.min(size, MOST_RUN);
    await note("add, a group each", some, () => addAll(queue, some, (place) => ({ group: `group-${place}` })));
    await looked(queue, "waiting", note);
    await note("run, a group each", some, () => ran(queue, some));
    await addAll(queue, some, (place) => ({ group: `group-${place}` }));
    await note("obliterate", some, () => queue.obliterate());
  },
  async schedules(queue, size, note) {
    const some = Math.min(size, MOST_SCHEDULES);
    const start = new Date(Date.now() - 1_000_000);
    const missed = { catchUp: 10 };
    await note("set", some, async () => {
      for (let from = 0; from < some; from += 100)
        await Promise.all(
          Array.from({ length: 100 }, (_, at) =>
            queue.schedules.set(`${from + at}`, { every: "100s", start, missed, payload: payloadOf(at) }),
          ),
        );
    });
    await note("tick and run", some, () => ran(queue, some));
  },
};

const payloadOf = (at: number): Payload => ({ at, text: TEXT });

async function addAll(
  queue: Queue<Payload>,
  size: number,
  optionsOf?: (place: number) => Parameters<Queue<Payload>["add"]>[1],
): Promise<void> {
  for (let from = 0; from < size; from += CHUNK) {
    const places = Array.from({ length: Math.min(CHUNK, size - from) }, (_, at) => from + at);
    if (optionsOf === undefined) await queue.addMany(places.map(payloadOf));
    else await Promise.all(places.map((place) => queue.add(payloadOf(place), optionsOf(place))));
  }
}

const added = (queue: Queue<Payload>, size: number): Promise<void> => addAll(queue, size);

/** The first pages of a state, and the counts. */
async function looked(queue: Queue<Payload>, state: "waiting" | "delayed" | "dead", note: Note): Promise<void> {
  await note("counts", 20, async () => {
    for (let times = 0; times < 20; times += 1) await queue.counts();
  });
  await note("page", 500, async () => {
    let cursor: string | undefined;
    for (let pages = 0; pages < 5; pages += 1) ({ cursor } = await queue.page({ state, cursor, limit: 100 }));
  });
}

/** Runs jobs until `count` have ended. */
async function ran(queue: Queue<Payload>, count: number, handler: () => unknown = () => undefined): Promise<void> {
  await using worker = queue.work(handler, { concurrency: CONCURRENCY });
  for (;;) {
    const { completed, dead } = worker.stats();
    if (completed + dead >= count) return;
    await sleep(10);
  }
}
