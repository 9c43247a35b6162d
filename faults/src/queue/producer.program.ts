/** A process that adds jobs of every kind until it is asked to end, and writes down what it was promised. */
import { trueNow } from "../skew.ts";
import { setTimeout as sleep } from "node:timers/promises";
import type { Holdfast, QueueAddOptions } from "holdfast";
import { Ledger, ticks } from "../ledger.ts";
import { serve } from "../member.ts";
import { Random } from "../random.ts";
import { type Kind, type Payload, type ProducerEntry, queueKey, type QueueConfig } from "./job.ts";
import { historyOf, isReplicated } from "../replicated.ts";
import { openSubject } from "./open.ts";
import type { Subject } from "./subject.ts";

const [configText, ledgerPath] = process.argv.slice(2);
const config = JSON.parse(configText!) as QueueConfig;
const ledger = new Ledger<ProducerEntry>(ledgerPath!);
const random = new Random(config.seed);

const WEIGHTS: Readonly<Partial<Record<Kind, number>>> = {
  plain: 60,
  bulk: 4,
  high: 6,
  low: 6,
  delayed: 8,
  named: 4,
  unique: 4,
  result: 4,
  failing: 3,
  discarded: 0.5,
  deadly: 0.05,
};
/** Long enough that the second of two additions comes before the job runs, where nothing holds it up. */
const TWIN_DELAY_MS = 500;

/** What every subject can do. */
const SIMPLE: typeof WEIGHTS = { plain: 15, bulk: 1 };
const weights = config.subject === "queue" ? WEIGHTS : SIMPLE;

const key = queueKey(config.prefix);
const { hf, subject } = openSubject(config);
const results: Promise<void>[] = [];
let calls = 0;
const ending = new AbortController();
const adding = produce(hf, subject, ending.signal);
let closing = "nothing";
serve(
  async () => {
    ending.abort();
    closing = "additions";
    await adding;
    closing = "results";
    await Promise.all(results);
    closing = "connection";
    await subject.close();
  },
  () => ({ closing, calls }),
);

async function produce(hf: Holdfast, subject: Subject, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const before = config.replicas > 0 ? await historyOf(hf, key) : "";
    const burst = Array.from({ length: random.integer(1, 12) }, () => addOne(subject));
    const added = (await Promise.all(burst)).flat();
    if (before !== "" && (await isReplicated(hf, key, config.replicas, before)))
      ledger.write({ what: "replicated", calls: added });
    await sleep(random.integer(5, 60));
  }
}

/** Returns the calls that were answered. */
async function addOne(subject: Subject): Promise<string[]> {
  const kind = random.weighted(weights);
  const areTwins = kind === "named" || kind === "unique";
  const count = kind === "bulk" ? random.integer(2, 80) : areTwins ? 2 : 1;
  const delayMs = kind === "delayed" ? random.integer(50, 2_000) : areTwins ? TWIN_DELAY_MS : 0;
  const name = kind === "named" || kind === "unique" ? `${kind}-${config.seed}-${calls}` : undefined;
  // A time comes from a right clock, a delay works with any.
  const dueAt = kind === "delayed" && random.next() < 0.3 ? trueNow() + delayMs : undefined;
  const options = optionsOf(kind, delayMs, dueAt, name);
  const answered: Promise<string | undefined>[] = [];
  for (const payload of Array.from({ length: count }, () => payloadOf(kind, delayMs, dueAt))) {
    const call = add(subject, payload, options, name);
    answered.push(call);
    // Bulk ones share their tick, twins come one after the other.
    if (kind !== "bulk") await call;
  }
  return (await Promise.all(answered)).filter((call) => call !== undefined);
}

function payloadOf(kind: Kind, delayMs: number, dueAt: number | undefined): Payload {
  calls += 1;
  return { call: `${config.seed}-${calls}`, kind, delayMs, ...(dueAt === undefined ? {} : { dueAt }) };
}

function optionsOf(kind: Kind, delayMs: number, dueAt: number | undefined, name: string | undefined): QueueAddOptions {
  if (kind === "delayed") return dueAt === undefined ? { delay: delayMs } : { at: dueAt };
  if (kind === "named") return { id: name!, delay: delayMs };
  if (kind === "unique") return { unique: name!, delay: delayMs };
  if (kind === "high" || kind === "low") return { priority: kind };
  return kind === "result" ? { result: true } : {};
}

async function add(
  subject: Subject,
  payload: Payload,
  options: QueueAddOptions,
  name: string | undefined,
): Promise<string | undefined> {
  const { call } = payload;
  const named = name === undefined ? {} : { name };
  ledger.write({ what: "adding", at: ticks(), payload, ...named });
  try {
    const { status, id } = await subject.add(payload, options);
    ledger.write({ what: "added", at: ticks(), call, id, status });
    if (payload.kind === "result" && status === "ok") results.push(awaitResult(subject, call, id));
    return call;
  } catch (error) {
    ledger.write({ what: "refused", at: ticks(), call, code: String((error as { code?: unknown }).code ?? error) });
    return undefined;
  }
}

async function awaitResult(subject: Subject, call: string, id: string): Promise<void> {
  const result = await subject.result(id).catch((error: { code?: unknown }) => ({ status: String(error.code) }));
  ledger.write({ what: "result", call, ...result });
}
