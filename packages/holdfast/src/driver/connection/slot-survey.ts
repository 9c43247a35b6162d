/** Asking a cluster for its slots, whoever of it can be reached. */
import { deadline, type Runtime } from "../../base/runtime.ts";
import { Connection } from "./connection.ts";
import { messageOf } from "./failure.ts";
import type { Settings } from "./options.ts";
import { readSlotRanges, type SlotRange } from "./slots.ts";
import { type Address, addressName, hostOf } from "./url.ts";

/** A connected node that answers no sooner is passed over. */
const ANSWER_WAIT_MS = 1_000;

/**
 * The slots as one node sees them: the nodes connected are asked one by one in random order, then, when none of them
 * answers, all addresses at once over connections of their own. Rejects with the most telling failure.
 */
export async function askForSlots(
  settings: Settings,
  connected: readonly Connection[],
  addresses: readonly Address[],
  signal: AbortSignal,
): Promise<SlotRange[]> {
  for (const connection of shuffled(settings.runtime, connected)) {
    const ranges = await ask(settings.runtime, connection, ANSWER_WAIT_MS).catch(() => []);
    if (ranges.length > 0) return ranges;
  }
  const distinct = new Map(addresses.map((address) => [addressName(address), address]));
  const enough = new AbortController();
  const until = AbortSignal.any([signal, enough.signal]);
  try {
    return await Promise.any([...distinct.values()].map((address) => dialAndAsk(settings, address, until)));
  } catch (error) {
    signal.throwIfAborted();
    throw new SurveyError([...distinct.keys()], error);
  } finally {
    enough.abort(new Error("another node has answered"));
  }
}

/** No node has answered: the reason of each, in the order of the addresses. */
class SurveyError extends AggregateError {
  override readonly name: string = "SurveyError";
  constructor(addresses: readonly string[], cause: unknown) {
    const errors: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
    super(errors, errors.map((error, at) => `${addresses[at]}: ${messageOf(error)}`).join("; "));
  }
}

async function dialAndAsk(settings: Settings, address: Address, signal: AbortSignal): Promise<SlotRange[]> {
  const { credentials } = settings;
  const connection = await Connection.open({ settings, address, credentials, database: 0, watched: false }, signal);
  try {
    const ranges = await ask(settings.runtime, connection, settings.connectTimeoutMs);
    if (ranges.length === 0) throw new Error(`${connection.node} belongs to no cluster that serves slots yet`);
    return ranges;
  } finally {
    connection.destroy(new Error("asked"));
  }
}

async function ask(runtime: Runtime, connection: Connection, waitMs: number): Promise<SlotRange[]> {
  const late = (): Error => new Error(`${connection.node} did not answer CLUSTER SLOTS`);
  const reply = await deadline(runtime, waitMs, connection.sendRaw(["CLUSTER", "SLOTS"]), late);
  return readSlotRanges(reply, hostOf(connection.address));
}

function shuffled<T>(runtime: Runtime, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: runtime.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
