/** A process that wants everything, again and again, as a user's would, and writes down what it was told and what it believes. */
import "../skew.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { holdfast } from "holdfast";
import { Ledger } from "../ledger.ts";
import { serve } from "../member.ts";
import { Random } from "../random.ts";
import type { CoordinationConfig, Entry } from "./entry.ts";
import { lockLoops } from "./lock-loops.ts";
import { meetingLoops } from "./meeting-loops.ts";
import { openSubject } from "./open.ts";
import { Recorder } from "./recorder.ts";
import { Section } from "./section.ts";
import type { Wanted } from "./subject.ts";

const [configText, ledgerPath] = process.argv.slice(2);
const config = JSON.parse(configText!) as CoordinationConfig;
const ledger = new Ledger<Entry>(ledgerPath!);
const random = new Random(config.seed);
// Not `connect`: it gives up where a process begins in the middle of a fault.
const hf = holdfast(config.url, { timeout: "4s", pingInterval: "500ms", pingTimeout: "1s", prefix: config.prefix });
const recorder = new Recorder(ledger, config.name);
const section = new Section(recorder, random);
const subject = openSubject(hf, config);

const isOurs = config.subject === "coordination";
const acquire = async (
  kind: "lock" | "semaphore" | "rwlock" | "election",
  name: string,
  wanted: Wanted = {},
): Promise<void> => {
  const on = `${kind}:${name}`;
  const { id, value: held } = await recorder.note(
    { do: "acquire", on, ...wanted },
    () => subject[kind](name, wanted),
    ({ fence }) => ({ status: "ok", fence }),
  );
  if (held === undefined) return;
  // Of a semaphore several are in at a time, and readers and those who share a lock do not write.
  const guards =
    kind !== "semaphore" && wanted.owner === undefined && wanted.mode !== "read" && wanted.mode !== "upgradable";
  await section.hold(on, id, held, { guards });
};
const modes = ["read", "read", "write", "write", "upgradable"] as const;
const rounds = {
  lock: (name: string) => acquire("lock", name),
  semaphore: (name: string) => acquire("semaphore", name, { weight: random.integer(1, 2) }),
  rwlock: (name: string) => acquire("rwlock", name, { mode: modes[random.integer(0, isOurs ? 4 : 3)]! }),
  election: (name: string) => acquire("election", name),
};

const loops: (() => Promise<void>)[] = [];
if (isOurs) {
  loops.push(
    () => rounds.semaphore("s"),
    () => rounds.rwlock("r"),
    () => rounds.election("e"),
    () => acquire("lock", "shared", { owner: `owner-${random.integer(0, 1)}` }),
    ...lockLoops({ hf, config, recorder, section, random }),
    ...meetingLoops({ hf, config, recorder, section, random }),
  );
} else {
  // Two of each, so that a fault finds one held.
  for (const round of Object.values(rounds))
    loops.push(
      () => round("1"),
      () => round("2"),
    );
}

const ending = new AbortController();
const running = loops.map(async (loop) => {
  while (!ending.signal.aborted) {
    await loop();
    await sleep(random.integer(0, 30));
  }
});
let closing = "nothing";
serve(
  async () => {
    closing = "loops";
    ending.abort();
    await Promise.all(running);
    closing = "connection";
    await hf.close();
  },
  () => ({ closing, open: [...recorder.open.values()] }),
);
