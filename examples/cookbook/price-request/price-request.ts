/**
 * A shop asks the price service, which runs in any number of processes: one of them answers each question. The shop says how long its page
 * can wait, and shows the list price where nobody answers, everybody is busy, or it takes too long; the price service stops working at what
 * nobody waits for any more.
 */
import { ChannelReplyError, type ChannelResponder, type Holdfast, OutcomeUnknownError } from "holdfast";

export interface PriceQuestion {
  readonly article: string;
  readonly quantity: number;
}

export interface Price {
  readonly cents: number;
}

export type ShownPrice =
  | { readonly cents: number; readonly from: "price service" | "list" }
  | { readonly refused: string };

/** In the price service. */
export function servePrices(
  hf: Holdfast,
  reckon: (question: PriceQuestion, signal: AbortSignal) => Promise<Price | undefined>,
): Promise<ChannelResponder> {
  return hf.channel<PriceQuestion, Price>("prices").respond(
    async (question, { signal }) => {
      const price = await reckon(question, signal);
      if (price === undefined)
        throw new ChannelReplyError("unknown-article", `there is no article ${question.article}`);
      return price;
    },
    { concurrency: 20, capacity: 100 },
  );
}

/** In the shop. */
export async function priceOf(hf: Holdfast, question: PriceQuestion, listCents: number): Promise<ShownPrice> {
  const prices = hf.channel<PriceQuestion, Price>("prices");
  try {
    const answer = await prices.request(question, { timeout: "800ms" });
    if (answer.status === "ok") return { cents: answer.reply.cents, from: "price service" };
    if (answer.status === "failed" && answer.code === "unknown-article") return { refused: answer.message };
  } catch (error) {
    // A price that comes too late changes nothing, so nobody has to know what became of it.
    if (!(error instanceof OutcomeUnknownError)) throw error;
  }
  return { cents: listCents * question.quantity, from: "list" };
}
