/** The body of every `run`: acquire, run, release, and the truth about what was held to the end. */
import { LeaseLostError } from "../../base/errors.ts";
import type { LeaseHolders } from "./lease-holders.ts";

/** What a body holds while it runs. */
export interface HeldByBody {
  readonly name: string;
  readonly held: boolean;
  readonly signal: AbortSignal;
  release(): Promise<{ readonly status: "ok" | "expired" | "stolen" }>;
}

/**
 * Returns what `body` returns; an error of the body is passed on as it is.
 * @param label what is held as messages name it; each of several
 * @throws LeaseLostError when the body has ended but did not hold it to its end
 */
export async function runHeld<H extends HeldByBody, R>(
  holders: LeaseHolders,
  { held, label, op }: { readonly held: H; readonly label: string | readonly string[]; readonly op: string },
  body: (held: H) => R | Promise<R>,
): Promise<R> {
  let value: R;
  try {
    value = await holders.runInside(label, held, () => body(held));
  } catch (error) {
    await held.release().catch(() => undefined);
    throw error;
  }
  // A release that fails does so before the deadline: it was held to the end of the body, and ends by itself.
  const { status } = await held.release().catch(() => ({ status: "ok" as const }));
  const reason: unknown = held.signal.reason;
  if (reason instanceof LeaseLostError && reason.reason === "closed") throw reason;
  if (status === "ok") return value;
  const message = `${[label].flat().join(", ")} was lost before the body had ended; what the body did is done, but perhaps not alone`;
  throw new LeaseLostError(status, message, { op, key: held.name });
}
