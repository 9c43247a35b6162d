/** The server's side of sessions: one script per question, reads of the same tick merged. */
import { inChunks } from "../core/batch/in-chunks.ts";
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import type { Core } from "../core/core.ts";
import type { Call } from "../driver/port.ts";
import { HoldfastError } from "../base/errors.ts";
import { runMerged } from "../core/script/run-merged.ts";
import { unknownAfterRepeat } from "../core/update/compare-and-set.ts";
import { runScript } from "../core/script/run.ts";
import {
  admit,
  type AdmitResult,
  create,
  type CreateResult,
  destroy,
  type DestroyResult,
  get,
  type GetResult,
  list,
  patch,
  type PatchResult,
  retire,
  type RetireResult,
  revokeAll,
  rotate,
  type RotateResult,
  sweep,
} from "./scripts.gen.ts";
import { type SessionRef, targetOf } from "./ids.ts";
import type { SessionSettings } from "./options.ts";
import { INFO_FIELDS } from "./session.ts";

/** Reads in one script: about 2 ms of the server's time with sessions of usual size. */
const MAX_READS = 128;
/** How long a sign-out that carries the id before a sign-in still finds the session after it. */
const TRACE_MS = 60_000;

export type Fields = readonly (string | Buffer)[];

export type PatchOp = "sessions.patch" | "sessions.update";

interface Read {
  readonly ref: SessionRef;
  readonly via: string;
}

export interface PatchRequest {
  /** The alias that led to the session. */
  readonly via: SessionRef | undefined;
  /** Shared by the calls of one patch, which may go to the alias first. */
  readonly sent: { before: boolean };
  /** Hexadecimal; by it the server recognises a patch that is sent again. */
  readonly patchId: string;
  /** 0 for any. */
  readonly expected: number;
  readonly removed: number;
  readonly changes: Fields;
}

export class SessionStore {
  readonly #core: Core;
  readonly #settings: SessionSettings;
  readonly #lane = new Lane();
  readonly #reads: BatchKind<Read, GetResult>;
  #untouched = 0;

  constructor(core: Core, settings: SessionSettings) {
    this.#core = core;
    this.#settings = settings;
    this.#reads = { maxItems: MAX_READS, run: (group) => void this.#readGroup(group) };
  }

  /** Reads whose use of the session the server did not note. */
  get untouched(): number {
    return this.#untouched;
  }

  /** Whether a sign-in beyond the limit evicts another session. */
  get evicts(): boolean {
    return this.#settings.evict;
  }

  /** @param via the alias that led to the session */
  get(ref: SessionRef, via?: SessionRef): Promise<GetResult> {
    return this.#lane.add(this.#reads, this.#core.driver.slotOf(ref.session), { ref, via: via?.handle ?? "" });
  }

  create(ref: SessionRef, hasUser: boolean, pending: boolean, fields: Fields, op: string): Promise<CreateResult> {
    const { maxPerUser: limit, evict, idleMs, absoluteMs } = this.#settings;
    const { lateCopies } = this.#core;
    const args = { handle: ref.handle, hasUser, limit, evict, pending, lateCopies, idleMs, absoluteMs, fields };
    this.#sendReadsBefore(ref.session);
    return runScript(this.#core.driver, create, keysOf(ref), args, this.#call(op, ref));
  }

  admit(ref: SessionRef): Promise<AdmitResult> {
    const { maxPerUser: limit, idleMs } = this.#settings;
    this.#sendReadsBefore(ref.session);
    const args = { handle: ref.handle, limit, idleMs };
    return runScript(this.#core.driver, admit, keysOf(ref), args, this.#call("sessions.rotate", ref));
  }

  /** @throws OutcomeUnknownError for a patch whose answer was lost and which the session may have forgotten */
  async patch(op: PatchOp, ref: SessionRef, { via, sent, ...request }: PatchRequest): Promise<PatchResult> {
    const { idleMs, touchMs, timeoutMs = this.#core.driver.timeoutMs } = this.#settings;
    // One call may go to the alias and one to the session, each with a deadline of its own.
    const againMs = sent.before ? timeoutMs * 2 : 0;
    const args = { handle: ref.handle, idleMs, touchMs, via: via?.handle ?? "", againMs, ...request };
    const onRepeat = (): typeof args => {
      sent.before = true;
      return { ...args, againMs: timeoutMs * 2 };
    };
    this.#sendReadsBefore(ref.session);
    const result = await runScript(this.#core.driver, patch, keysOf(ref), args, this.#call(op, ref), onRepeat);
    if (result.status === "forgotten") throw unknownAfterRepeat(op, ref.handle);
    return result;
  }

  /** To another id of the same tag. */
  rotate(from: SessionRef, to: SessionRef, version: number, graceMs: number, fields: Fields): Promise<RotateResult> {
    const keys = { session: from.session, successor: to.session, index: from.index };
    const { idleMs } = this.#settings;
    const args = { handle: from.handle, nextHandle: to.handle, target: targetOf(to), version, graceMs, idleMs, fields };
    this.#sendReadsBefore(from.session);
    return runScript(this.#core.driver, rotate, keys, args, this.#call("sessions.rotate", from));
  }

  retire(ref: SessionRef, heir: SessionRef, version: number): Promise<RetireResult> {
    const { idleMs } = this.#settings;
    const args = { handle: ref.handle, target: targetOf(heir), version, traceMs: TRACE_MS, idleMs };
    this.#sendReadsBefore(ref.session);
    return runScript(this.#core.driver, retire, keysOf(ref), args, this.#call("sessions.rotate", ref));
  }

  destroy(ref: SessionRef, op = "sessions.destroy"): Promise<DestroyResult> {
    const args = { handle: ref.handle, idleMs: this.#settings.idleMs };
    this.#sendReadsBefore(ref.session);
    return runScript(this.#core.driver, destroy, keysOf(ref), args, this.#call(op, ref));
  }

  /** The handles of the sessions that it ended. */
  revokeAll(spared: SessionRef): Promise<string[]> {
    const { index, session, handle: except } = spared;
    this.#sendReadsBefore(index);
    const call = this.#callOf("sessions.revokeAll");
    return runScript(this.#core.driver, revokeAll, { index, spared: session }, { except }, call);
  }

  list(index: string): Promise<string[]> {
    return runScript(this.#core.driver, list, { index }, {}, this.#callOf("sessions.list"));
  }

  /** For each session the values of INFO_FIELDS. All are in the same slot. */
  info(refs: readonly SessionRef[]): Promise<(Buffer | null)[][]> {
    const call: Call = { ...this.#callOf("sessions.list"), class: "read" };
    return inChunks(refs, async (chunk) => {
      const commands = chunk.map((ref) => ["HMGET", ref.session, ...INFO_FIELDS]);
      const replies = await this.#core.driver.batch(commands, call, chunk[0]!.session);
      return replies.map((reply) => {
        if (reply instanceof Error) throw reply;
        return reply as (Buffer | null)[];
      });
    });
  }

  /** Takes sessions out of the index of their user; returns how many were in it. */
  async delist(index: string, refs: readonly SessionRef[]): Promise<number> {
    const call: Call = { ...this.#callOf("sessions.list"), class: "idempotent" };
    const handles = refs.map((ref) => ref.handle);
    return (await this.#core.driver.send(["ZREM", index, ...handles], call, index)) as number;
  }

  /**
   * Removes what is left of sessions that have ended. Their data would expire in any case, so a failure here is none of
   * the caller's.
   */
  async sweep(refs: readonly SessionRef[], op: string): Promise<void> {
    const call = this.#callOf(op);
    const run = async (chunk: readonly SessionRef[]): Promise<[]> => {
      const sessions = chunk.map((ref) => ref.session);
      await runScript(this.#core.driver, sweep, { sessions }, {}, call);
      return [];
    };
    await inChunks(refs, run).catch(() => undefined);
  }

  async #readGroup(group: readonly Pending<Read, GetResult>[]): Promise<void> {
    const { idleMs, touchMs } = this.#settings;
    const items = group.map(({ item: { ref, via } }) => ({
      keys: keysOf(ref),
      args: { handle: ref.handle, idleMs, touchMs, via },
      key: ref.handle,
    }));
    const outcomes = await runMerged(this.#core.driver, get, items, this.#callOf("sessions.get"));
    for (const [at, pending] of group.entries()) {
      const outcome = outcomes[at]!;
      if (outcome instanceof HoldfastError) {
        pending.reject(outcome);
        continue;
      }
      if (outcome.status === "found" && !outcome.touched) this.#untouched += 1;
      pending.resolve(outcome);
    }
  }

  /** What was asked before a change is answered from before it. */
  #sendReadsBefore(key: string): void {
    this.#lane.flush(this.#core.driver.slotOf(key));
  }

  /** Errors name the handle; the id is a secret. */
  #call(op: string, ref: SessionRef): Omit<Call, "class"> {
    return { ...this.#callOf(op), key: ref.handle };
  }

  #callOf(op: string): Omit<Call, "class"> {
    return { op, timeoutMs: this.#settings.timeoutMs };
  }
}

function keysOf(ref: SessionRef): { session: string; index: string } {
  return { session: ref.session, index: ref.index };
}
