/**
 * A process for kill.test.ts that does one part of a queue's work and is killed, by SIGKILL, when it comes to the point that it was told: `in ...` is a place
 * in its code; `sent ...` is when a script's call is on the wire, so that the server carries it out and nobody hears of it.
 * Arguments: the part, the point or "", the server's URL, the prefix, the queue.
 */
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../src/connect.ts";
import { Discard } from "../../src/index.ts";
import type { QueueHeldJob } from "../../src/queue/manual/held-job.ts";
import { claim, hold, settle } from "../../src/queue/scripts.gen.ts";

const [part = "", point = "", url = "", prefix = "", name = ""] = process.argv.slice(2);
const SCRIPTS = { claim, hold, settle };

type Verb = "complete" | "fail" | "release" | "extend";

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

function reached(place: string): void {
  if (place === point) die();
}

const [, script, which = "1"] = /^sent (claim|hold|settle)(?: (\d+))?$/.exec(point) ?? [];
if (script !== undefined) {
  // A connection's first call of a script has its source.
  const { sha1, lua } = SCRIPTS[script as keyof typeof SCRIPTS];
  const write = Reflect.get(Socket.prototype, "write") as (...args: unknown[]) => boolean;
  let left = Number(which);
  Socket.prototype.write = function watched(this: Socket, ...args: unknown[]): boolean {
    const isSent = Reflect.apply(write, this, args);
    const piece = String(args[0]);
    if ((piece.includes(sha1) || piece.includes(lua)) && (left -= 1) === 0) {
      // What was written is gathered, and leaves within this tick. No answer is read any more.
      setImmediate(die);
      this.removeAllListeners("data").pause();
    }
    return isSent;
  };
}

const hf = await connect(url, { prefix });
const queue = hf.queue<number>(name, { attempts: 3, backoff: { delay: 0 } });
const effect = (job: { readonly payload: number }): Promise<unknown> =>
  hf.command("HINCRBY", queue.key("effects"), String(job.payload), "1");
const LEASE = { lease: "1s", poll: "50ms" } as const;

if (isVerb(part)) {
  const [job] = await queue.claim({ lease: "1s", wait: "20s" });
  reached("in its job");
  await end(job!, part);
  reached("in its end");
}
if (part === "holders") {
  for (;;) {
    const jobs = await queue.claim({ count: 4, lease: "1s", wait: "20s" });
    for (const job of jobs) {
      await sleep(job.payload % 5);
      if (job.payload % 11 === 0) await job.extend("2s");
      // Some fail, the first time.
      const verb = job.attempt === 1 && job.payload % 7 === 0 ? "fail" : "complete";
      const status = await end(job, verb);
      if (verb === "complete" && status === "ok") process.send!(job.payload);
    }
  }
}
if (part === "many") {
  queue.workMany(
    async (jobs) => {
      reached("in its call");
      await Promise.all(jobs.map(effect));
      reached("in the end of its call");
    },
    { size: 5, linger: point === "in its linger" ? "1h" : "20ms", ...LEASE },
  );
}
if (part === "undertaker") {
  queue.work(
    () => {
      reached("in the last run");
      throw new Discard("on purpose");
    },
    {
      concurrency: 1,
      ...LEASE,
      onDead: async (death) => {
        reached("in the report");
        await effect(death);
        reached("in the end of the report");
      },
    },
  );
}

function isVerb(word: string): word is Verb {
  return ["complete", "fail", "release", "extend"].includes(word);
}

async function end(job: QueueHeldJob<number>, verb: Verb): Promise<string> {
  if (verb === "complete") await effect(job);
  const ends = {
    complete: () => job.complete(),
    fail: () => job.fail("on purpose"),
    release: () => job.release(),
    extend: () => job.extend("3s"),
  };
  return (await ends[verb]()).status;
}
