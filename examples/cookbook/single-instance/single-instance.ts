/**
 * A service of which one instance runs in the whole fleet, such as the one connection to a stock exchange. Every process has it,
 * one runs it; when that one is shut down the next takes over at once, and when it dies, within ten seconds. The others know
 * where it runs.
 */
import type { Election, ElectionRunner, Holdfast } from "holdfast";

export function gatewayElection(hf: Holdfast, ttl: "10s" | "1s" = "10s"): Election<string> {
  return hf.election<string>("gateway", { ttl });
}

export interface Gateway {
  /** Runs until the signal aborts. `term` goes along with every order: the exchange refuses one from an earlier gateway. */
  run(term: number, signal: AbortSignal): Promise<void>;
}

/** At the start of every process. Closing it shuts the gateway down, and then hands over. */
export function runGateway(
  election: Election<string>,
  gateway: Gateway,
  address: string,
  onError: (error: unknown) => void,
): ElectionRunner<string> {
  return election.lead(({ term, signal }) => gateway.run(term, signal), { value: address, onError });
}

/** Where requests for the gateway go; `undefined` while nobody knows. Returns when the signal aborts. */
export async function followGateway(
  election: Election<string>,
  route: (address: string | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const state of election.observe({ signal })) route(state.status === "led" ? state.value : undefined);
}
