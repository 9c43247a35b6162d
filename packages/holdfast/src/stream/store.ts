/** The server's side of one stream: the scripts, and what its frames mean. */
import type { Codec } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import { type Frame, frameLength, type LogMessage, varintLength, writeFrame } from "../core/log/frame.ts";
import { LogKeys } from "../core/log/keys.ts";
import type { LeaseEnd, LeaseExtension } from "../core/lease/timed-lease.ts";
import { runScript } from "../core/script/run.ts";
import {
  extend,
  release,
  seal,
  type SealResult,
  start,
  type StartResult,
  write,
  type WriteResult,
} from "./scripts.gen.ts";

/** What a frame without a value is. */
const END = 1;
const ABORTED = 2;
/** The longest reason that is kept, in characters. */
const MAX_REASON = 200;
/** Readers get a pack of up to this size with the news of it. */
const LIVE_BYTES = 4_096;
const NOTHING = Buffer.alloc(0);

export type StreamStatus = "open" | "end" | "aborted";

export interface StreamTerms {
  readonly reasons: Codec<string>;
  readonly ttlMs: number;
  readonly maxBytes: number;
  readonly leaseMs: number;
  readonly takeoverMs: number;
  readonly timeoutMs: number;
}

export class StreamStore {
  readonly keys: LogKeys;
  readonly #core: Core;
  readonly #id: string;
  readonly #keys: { readonly state: string; readonly log: string; readonly meta: string };
  readonly #terms: StreamTerms;

  constructor(core: Core, id: string, terms: StreamTerms) {
    this.#core = core;
    this.#id = id;
    this.keys = new LogKeys(core.keys.group("stream", id));
    const { group, log, meta } = this.keys;
    this.#keys = { state: group.part("state"), log, meta };
    this.#terms = terms;
  }

  start(token: string): Promise<StartResult> {
    const { leaseMs, ttlMs } = this.#terms;
    return runScript(this.#core.driver, start, this.#keys, { token, leaseMs, ttlMs }, this.#call("start"));
  }

  write(
    token: string,
    at: { readonly epoch: number; readonly first: number },
    pack: { readonly count: number; readonly blob: Buffer; readonly status: StreamStatus },
    timeoutMs: number,
  ): Promise<WriteResult> {
    const { maxBytes, ttlMs } = this.#terms;
    const keys = { ...this.#keys, live: this.keys.live };
    const args = { token, ...at, ...pack, maxBytes, ttlMs, liveBytes: LIVE_BYTES };
    const call = { ...this.#call("write"), timeoutMs: Math.min(timeoutMs, this.#terms.timeoutMs) };
    return runScript(this.#core.driver, write, keys, args, call);
  }

  async extend(
    token: string,
    leaseMs: number,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<LeaseExtension> {
    const call = { ...this.#call("extend"), timeoutMs: Math.min(timeoutMs, this.#terms.timeoutMs), signal };
    const args = { token, leaseMs, ttlMs: this.#terms.ttlMs };
    return (await runScript(this.#core.driver, extend, this.#keys, args, call)).status;
  }

  async release(token: string): Promise<LeaseEnd> {
    const { state } = this.#keys;
    return (await runScript(this.#core.driver, release, { state }, { token }, this.#call("release"))).status;
  }

  /** Asked by a reader that hears nothing. */
  seal(): Promise<SealResult> {
    const { takeoverMs, ttlMs } = this.#terms;
    const keys = { ...this.#keys, live: this.keys.live };
    const blob = packed([this.endFrame("aborted", "the producer died")]);
    return runScript(
      this.#core.driver,
      seal,
      keys,
      { takeoverMs, blob, ttlMs, liveBytes: LIVE_BYTES },
      this.#call("read"),
    );
  }

  endFrame(status: "end" | "aborted", reason: string): LogMessage {
    if (status === "end") return { payload: NOTHING, mark: END };
    return { payload: this.#terms.reasons.encode(reason.slice(0, MAX_REASON), this.#aad), mark: ABORTED };
  }

  /** How a stream ended, where this frame says it; undefined for a chunk. */
  endOf({ mark, payload }: Frame): { status: "end" } | { status: "aborted"; reason: string } | undefined {
    if (mark === END) return { status: "end" };
    return mark === ABORTED ? { status: "aborted", reason: this.#terms.reasons.decode(payload, this.#aad) } : undefined;
  }

  /** What encrypted chunks and reasons are bound to. */
  get #aad(): { readonly aad: string } {
    return { aad: this.keys.key };
  }

  #call(verb: string): { op: string; key: string; timeoutMs: number } {
    return { op: `stream.${verb}`, key: this.#id, timeoutMs: this.#terms.timeoutMs };
  }
}

/** Frames, one behind the other. */
export function packed(messages: readonly LogMessage[]): Buffer {
  const lengths = messages.map(frameLength);
  const blob = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + varintLength(length) + length, 0));
  let at = 0;
  for (const [place, message] of messages.entries()) at = writeFrame(message, lengths[place]!, blob, at);
  return blob;
}
