// What could go wrong, and the test for each:
// - a handler does not go on with its caller's trace ............. "a handler is in a span below its caller's" (with OpenTelemetry itself)
// - a retry, a child, a spawned or a batched job is in another ... "what a job adds is below its run", the same
// - a schedule's job is in the trace of who set the schedule ..... the same
// - a trace that was given is not carried ........................ "carries what was given, without any tracer"
// - a tracer that fails, or has no context, fails an addition .... "adds without a trace where the tracer fails"
// - a queue without it stores more ............................... "stores nothing more without it"
// - the channel does not see runs, or sees payloads .............. "publishes additions and runs, and nothing that was stored"
// - a run that waits for something counts as failed .............. the same
import { tracingChannel } from "node:diagnostics_channel";
import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { hooks } from "../../test/support/opentelemetry.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import { type Operation, OPERATION_CHANNEL } from "../core/observe/observe.ts";
import type { TraceContext, TraceHooks } from "../core/observe/trace.ts";
import type { Holdfast } from "../holdfast.ts";
import { Discard, Snooze } from "./failure.ts";

const spans = new InMemorySpanExporter();
const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const STATE = "congo=t61rcWkgMzE, rojo=00f067aa0ba902b7";

describe.each(backends())("traces through a queue [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let plain: Holdfast;
  beforeAll(async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
    const prefix = `qt-${randomUUID()}`;
    hf = await connect(url, { ...options, prefix, trace: hooks });
    plain = await connect(url, { ...options, prefix });
  });
  beforeEach(() => spans.reset());
  afterAll(async () => {
    await Promise.all([hf.close(), plain.close()]);
    for (const api of [context, propagation, trace]) api.disable();
  });

  /** Runs `body` in a span, and returns its trace. */
  const within = (body: () => Promise<unknown>): Promise<{ readonly traceId: string; readonly spanId: string }> =>
    trace.getTracer("test").startActiveSpan("request", async (span) => {
      await body();
      span.end();
      return span.spanContext();
    });
  const finished = (name: string) => spans.getFinishedSpans().filter((span) => span.name === name);

  it("a handler is in a span below its caller's, in each of its runs", async () => {
    const queue = hf.queue<number>(randomUUID(), { backoff: { delay: 1 } });
    const seen: (string | undefined)[] = [];
    await using worker = queue.work(({ payload, attempt }) => {
      seen.push(trace.getActiveSpan()?.spanContext().traceId);
      if (payload === 1 && attempt === 1) throw new Error("once");
    });
    const { traceId, spanId } = await within(() => queue.add(1, { name: "mail" }));
    await until("it is done", () => worker.stats().completed === 1);
    const runs = finished("process mail");
    expect(runs.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([spanId, spanId]);
    expect(runs.map(({ status }) => status.code)).toEqual([2, 0]);
    expect(runs[1]!.attributes).toMatchObject({ "messaging.destination.name": queue.name, "holdfast.job.attempt": 2 });
    expect(seen).toEqual([traceId, traceId]);
    // Without a trace it begins one.
    await queue.add(2, { name: "other" });
    await until("that is done", () => finished("process other").length === 1);
    expect(finished("process other")[0]!.parentSpanContext).toBeUndefined();
  });

  it("what a job adds is below its run; a schedule's job is in a trace of its own", async () => {
    const queue = hf.queue<string>(randomUUID());
    const traces = new Map<string, string>();
    await using _worker = queue.work(async (job) => {
      const { traceId } = trace.getActiveSpan()!.spanContext();
      traces.set(job.payload, traceId);
      if (job.payload === "first") await job.spawn("parts", [queue.child("spawned", { name: "spawned" })]);
      if (job.payload === "first") await queue.add("added", { name: "added" });
    });
    const parent = await within(() => queue.add("parent", { children: [queue.child("first", { name: "first" })] }));
    const batch = await within(async () => {
      const opened = queue.batch({ onComplete: "called back" });
      await opened.add([]);
      await opened.close();
    });
    const setter = await within(async () => {
      await queue.schedules.set("s", { every: "1h", payload: "scheduled" });
      await queue.schedules.runNow("s");
    });
    await until("all have run", () => traces.size === 6 && finished("process first").length === 2);
    for (const payload of ["parent", "first", "spawned", "added"]) expect(traces.get(payload)).toBe(parent.traceId);
    const runs = finished("process first").map((span) => span.spanContext().spanId);
    const [spawned, added] = ["process spawned", "process added"].map((name) => finished(name)[0]!.parentSpanContext);
    expect([spawned!.spanId, added!.spanId]).toEqual(runs);
    expect(traces.get("called back")).toBe(batch.traceId);
    expect(traces.get("scheduled")).not.toBe(setter.traceId);
  });

  it("carries what was given, without any tracer", async () => {
    const queue = plain.queue<number>(randomUUID());
    const seen: (TraceContext | undefined)[] = [];
    await using worker = queue.work((job) => void seen.push(job.trace));
    const given = { traceparent: PARENT, tracestate: STATE };
    for (const carried of [given, { traceparent: PARENT }, undefined]) {
      await queue.add(1, carried === undefined ? {} : { trace: carried });
      await until("it is done", () => worker.stats().completed === seen.length && seen.length > 0);
    }
    await until("all are done", () => seen.length === 3);
    expect(seen).toEqual([given, { traceparent: PARENT }, undefined]);
    for (const wrong of ["x", `${PARENT}\n`, PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0".repeat(32))])
      await expect(queue.add(1, { trace: { traceparent: wrong } })).rejects.toThrow(/trace.traceparent/);
    await expect(queue.add(1, { trace: { traceparent: PARENT, tracestate: "a\nb" } })).rejects.toThrow(/tracestate/);
  });

  it("adds without a trace where the tracer fails, or has none", async () => {
    const broken: TraceHooks["current"][] = [
      () => {
        throw new Error("no");
      },
      () => undefined,
      () => ({ traceparent: "nonsense" }),
      () => null as never,
    ];
    for (const current of broken) {
      await using own = await connect(url, { ...options, prefix: randomUUID(), trace: { ...hooks, current } });
      const queue = own.queue<number>("q");
      await queue.add(1, { name: "n" });
      const [job] = await queue.claim();
      expect(job).toMatchObject({ payload: 1, trace: undefined });
      await job!.complete();
    }
    await expect(connect(url, { trace: { run: 1 } as never })).rejects.toThrow(/trace/);
  });

  it("publishes additions and runs, and nothing that was stored", async () => {
    const queue = plain.queue<{ secret: string; does: string }>(randomUUID(), { attempts: 1 });
    const published: [string, Operation, string][] = [];
    const channel = tracingChannel<string, Operation>(OPERATION_CHANNEL);
    const note = (event: string) => (operation: Operation) => {
      const about = operation.name === queue.name && ["queue.add", "queue.run"].includes(operation.op);
      if (about) published.push([event, { ...operation }, inspect(operation, { depth: Infinity, showHidden: true })]);
    };
    const listeners = {
      start: note("start"),
      end: () => undefined,
      asyncStart: () => undefined,
      asyncEnd: note("end"),
      error: note("error"),
    };
    channel.subscribe(listeners);
    const worker = queue.work(
      async ({ payload: { secret, does } }) => {
        if (does === "fail") throw Object.assign(new TypeError(`no ${secret}`), { code: "EFAIL" });
        if (does === "wait") throw new Snooze("1h");
        if (does === "die") throw new Discard(secret);
        return secret;
      },
      { concurrency: 1 },
    );
    const ids: string[] = [];
    for (const does of ["well", "fail", "wait", "die"])
      ids.push((await queue.add({ secret: "pl4nted", does }, { name: "mail", trace: { traceparent: PARENT } })).id);
    await until("all are over", async () => {
      const { waiting, active } = await queue.counts();
      return waiting === 0 && active === 0;
    });
    await worker.close();
    channel.unsubscribe(listeners);
    const of = (event: string, op: string) =>
      published.filter(([each, about]) => each === event && about.op === op).map(([, about]) => about);
    expect(of("end", "queue.add").map(({ result }) => result)).toEqual(ids.map((id) => ({ status: "ok", id })));
    const begun = of("start", "queue.run");
    expect(begun.map(({ key }) => key)).toEqual(ids);
    const run = { name: "mail", attempt: 1, waitMs: expect.any(Number), traceparent: PARENT };
    for (const { run: each } of begun) expect(each).toEqual(run);
    const ended = of("end", "queue.run");
    expect(ended.map(({ result }) => result)).toEqual(["completed", undefined, "released", undefined]);
    const errors = of("error", "queue.run").map(({ error }) => (error as Error).message);
    expect(errors).toEqual(["TypeError EFAIL", "Discard"]);
    for (const [, , text] of published) expect(text).not.toContain("pl4nted");
  });
});
