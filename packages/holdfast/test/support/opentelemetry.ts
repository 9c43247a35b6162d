/** The hooks of docs/queue.md for OpenTelemetry, as they stand there. */
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { TraceContext, TraceHooks } from "../../src/index.ts";

const tracer = trace.getTracer("holdfast");

export const hooks: TraceHooks = {
  current() {
    const carrier = {};
    propagation.inject(context.active(), carrier);
    return carrier;
  },
  run(carrier: TraceContext | undefined, { queue, id, name, attempt }, run) {
    const caller = propagation.extract(ROOT_CONTEXT, carrier ?? {});
    const attributes = {
      "messaging.destination.name": queue,
      "messaging.message.id": id,
      "holdfast.job.attempt": attempt,
    };
    const options = { kind: SpanKind.CONSUMER, attributes };
    return tracer.startActiveSpan(`process ${name ?? queue}`, options, caller, async (span) => {
      try {
        return await run();
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  },
};
