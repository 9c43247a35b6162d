/** What must hold once the faults are over: all is handled, or dead. */
import type { Topic } from "holdfast";
import { until } from "../../../packages/holdfast/test/support/servers.ts";
import type { Letter } from "./history.ts";
import { KINDS, type Payload } from "./message.ts";

/** On a machine that has much else to do. */
const DRAIN_MS = 120_000;
const PAGE = 500;

/** What is left in each subscription, in words. */
export async function leftIn(topic: Topic<Payload>): Promise<string[]> {
  const left = async (): Promise<string[]> => {
    const lags = await Promise.all(KINDS.map(async (kind) => ({ kind, lag: await topic.subscriptions.lag(kind) })));
    return lags.flatMap(({ kind, lag }) => {
      // After the server was emptied, until a member makes it again.
      if (lag === undefined) return [`${kind}: the server does not know the subscription`];
      return lag.partitions
        .filter(({ messages }) => messages > 0)
        .map(
          ({ partition, messages, committed, head }) =>
            `${kind}: ${messages} messages of partition ${partition} are left, committed ${committed} of ${head}`,
        );
    });
  };
  const isDrained = until("drained", async () => (await left()).length === 0, DRAIN_MS);
  return isDrained.then(() => [], left);
}

export async function deadLetters(topic: Topic<Payload>): Promise<Letter[]> {
  const found: Letter[] = [];
  for (const kind of KINDS) {
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const page = await topic.dead(kind).page({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      for (const { message } of page.letters) found.push({ kind, call: message?.payload.call ?? "unreadable" });
      cursor = page.cursor;
    }
  }
  return found;
}
