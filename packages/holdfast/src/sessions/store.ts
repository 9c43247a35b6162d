/** The server's side of sessions: one script per question, reads of one turn of the event loop merged. */
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import type { Core } from "../core/core.ts";
import type { Call } from "../driver/port.ts";
import { HoldfastError } from "../base/errors.ts";
import { runMerged } from "../core/script/run-merged.ts";
import { runScript } from "../core/script/run.ts";
import {
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

/** Reads in one script: some 2 ms of the server's time with sessions of usual size. */
const MAX_READS = 128;
/** How long a sign-out that carries the id before a sign-in still finds the session after it. */
const TRACE_MS = 60_000;

type Fields = readonly (string | Buffer)[];

export interface PatchRequest {
  /** Hexadecimal; by it the server knows a patch that comes again. */
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
  readonly #reads: BatchKind<SessionRef, GetResult>;

  constructor(core: Core, settings: SessionSettings) {
    this.#core = core;
    this.#settings = settings;
    this.#reads = { maxItems: MAX_READS, run: (group) => void this.#readGroup(group) };
  }

  get(ref: SessionRef): Promise<GetResult> {
    return this.#lane.add(this.#reads, this.#core.driver.slotOf(ref.session), ref);
  }

  create(ref: SessionRef, hasUser: boolean, fields: Fields, op: string): Promise<CreateResult> {
    const { maxPerUser: limit, evict, idleMs, absoluteMs } = this.#settings;
    const args = { handle: ref.handle, hasUser, limit, evict, idleMs, absoluteMs, fields };
    this.#sendReadsBefore(ref.session);
    return runScript(this.#core.driver, create, keysOf(ref), args, this.#call(op, ref));
  }

  patch(ref: SessionRef, request: PatchRequest): Promise<PatchResult> {
    const { idleMs, touchMs } = this.#settings;
    const args = { handle: ref.handle, idleMs, touchMs, ...request };
    this.#sendReadsBefore(ref.session);
    return runScript(this.#core.driver, patch, keysOf(ref), args, this.#call("sessions.patch", ref));
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
  revokeAll(index: string, except: string): Promise<string[]> {
    this.#sendReadsBefore(index);
    return runScript(this.#core.driver, revokeAll, { index }, { except }, this.#callOf("sessions.revokeAll"));
  }

  list(index: string): Promise<string[]> {
    return runScript(this.#core.driver, list, { index }, {}, this.#callOf("sessions.list"));
  }

  /** For each session the values of INFO_FIELDS. All are of one slot. */
  async info(refs: readonly SessionRef[]): Promise<(Buffer | null)[][]> {
    if (refs.length === 0) return [];
    const commands = refs.map((ref) => ["HMGET", ref.session, ...INFO_FIELDS]);
    const call: Call = { ...this.#callOf("sessions.list"), class: "read" };
    const replies = await this.#core.driver.batch(commands, call, refs[0]!.session);
    return replies.map((reply) => {
      if (reply instanceof Error) throw reply;
      return reply as (Buffer | null)[];
    });
  }

  /**
   * Removes what is left of sessions that have ended. Their data would go with its TTL in any case, so a failure here
   * is none of the caller's.
   */
  async sweep(refs: readonly SessionRef[], op: string): Promise<void> {
    if (refs.length === 0) return;
    const sessions = refs.map((ref) => ref.session);
    await runScript(this.#core.driver, sweep, { sessions }, {}, this.#callOf(op)).catch(() => undefined);
  }

  async #readGroup(group: readonly Pending<SessionRef, GetResult>[]): Promise<void> {
    const { idleMs, touchMs } = this.#settings;
    const items = group.map(({ item }) => ({
      keys: keysOf(item),
      args: { handle: item.handle, idleMs, touchMs },
      key: item.handle,
    }));
    const outcomes = await runMerged(this.#core.driver, get, items, this.#callOf("sessions.get"));
    for (const [at, pending] of group.entries()) {
      const outcome = outcomes[at]!;
      if (outcome instanceof HoldfastError) pending.reject(outcome);
      else pending.resolve(outcome);
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
