/**
 * Exports for many tenants on a few workers: a tenant that asks for a thousand delays nobody, those who pay have a larger share, no tenant
 * overloads its own database, and a supplier that says "too many requests" pauses its tenant in all processes at once.
 */
import { type Holdfast, Limited, type Queue, type QueueWorker } from "holdfast";

export interface Export {
  readonly tenant: string;
  readonly report: string;
}

export type Produce = (
  request: Export,
  options: { readonly signal: AbortSignal },
) => Promise<{ readonly retryAfterMs?: number }>;

export type Asked = "accepted" | "too many";

/** Safe to call at each start of each process: limits are replaced by the same ones. */
export async function exportQueue(hf: Holdfast, plans: Readonly<Record<string, number>>): Promise<Queue<Export>> {
  const exports = hf.queue<Export>("exports", { attempts: 5 });
  await exports.groups.set("*", { concurrency: 2, maxWaiting: 1_000 });
  for (const [tenant, weight] of Object.entries(plans))
    await exports.groups.set(tenant, { weight, concurrency: 4, maxWaiting: 5_000 });
  return exports;
}

export async function requestExport(exports: Queue<Export>, request: Export): Promise<Asked> {
  const { status } = await exports.add(request, { group: request.tenant });
  return status === "full" ? "too many" : "accepted";
}

export function produceExports(exports: Queue<Export>, produce: Produce): QueueWorker {
  return exports.work(
    async ({ payload, signal }) => {
      const { retryAfterMs } = await produce(payload, { signal });
      // No attempt is used, and the tenant's other exports are not tried either until then.
      if (retryAfterMs !== undefined) throw new Limited(retryAfterMs);
    },
    { concurrency: 10 },
  );
}
