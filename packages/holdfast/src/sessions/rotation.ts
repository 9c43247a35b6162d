/**
 * A session under a new id.
 *
 * Values are sealed to their key, so they are read, encoded again and written under the version that was read.
 * - The user stays: one script puts the successor in the predecessor's place. The old id opens the successor for
 *   a few seconds more, one hop far, and no longer than the successor lives.
 * - The user changes (sign-in): the successor is in another slot. It is reserved, the end of the predecessor decides which
 *   of parallel sign-ins wins, and only the winner's successor is admitted and may evict another session:
 *
 *       reserve (limit: stop) -> retire the predecessor (lost: drop the reservation) -> admit, evict
 *
 *   A process that dies in between leaves the old session or none; a reservation, whose id nobody has, expires. The old id
 *   opens nothing from then on, for whoever planted it in the browser (session fixation) may know it too; all that is
 *   left of it is a trace by which a sign-out in flight with the old id ends the successor.
 * A predecessor that ends meanwhile takes the successor with it.
 */
import { HoldfastError, OutcomeUnknownError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";
import { untilNoConflict } from "../core/update/compare-and-set.ts";
import type { IssuedId, SessionIds, SessionRef } from "./ids.ts";
import type { Session, SessionFormat, SessionValues } from "./session.ts";
import type { SessionPlaces } from "./places.ts";
import type { RetireResult } from "./scripts.gen.ts";
import type { SessionStore } from "./store.ts";

/** `limit`: as of a creation; `missing`: there is no such session, or the id was rotated already. */
export type SessionRotateResult<Data, Device = unknown> =
  | { readonly status: "ok"; readonly id: string; readonly session: Session<Data, Device> }
  | { readonly status: "limit"; readonly active: number }
  | { readonly status: "missing" };

export interface RotationRequest<Data> {
  readonly user: string | undefined;
  readonly graceMs: number;
  /** What becomes of the data; called again when a patch intervened. */
  readonly carry: (data: Data) => Data;
}

type Round<Data, Device> = SessionRotateResult<Data, Device> | { readonly status: "conflict" };

/** Each round fails only because a patch succeeded meanwhile. */
const MAX_ROUNDS = 10;

export class Rotation<Data extends object, Device> {
  readonly #runtime: Runtime;
  readonly #store: SessionStore;
  readonly #places: SessionPlaces;
  readonly #ids: SessionIds;
  readonly #format: SessionFormat<Data, Device>;

  constructor(
    runtime: Runtime,
    store: SessionStore,
    places: SessionPlaces,
    ids: SessionIds,
    format: SessionFormat<Data, Device>,
  ) {
    this.#runtime = runtime;
    this.#store = store;
    this.#places = places;
    this.#ids = ids;
    this.#format = format;
  }

  async run(ref: SessionRef, request: RotationRequest<Data>): Promise<SessionRotateResult<Data, Device>> {
    const outcome = await untilNoConflict(this.#runtime, MAX_ROUNDS, () => this.#round(ref, request));
    if (outcome.status !== "conflict") return outcome;
    const message = `sessions.rotate: the session was patched during each of ${MAX_ROUNDS} rounds; nothing was changed`;
    throw new HoldfastError("CONFLICT", message, { op: "sessions.rotate", key: ref.handle, retryable: true });
  }

  async #round(ref: SessionRef, request: RotationRequest<Data>): Promise<Round<Data, Device>> {
    const found = await this.#store.get(ref);
    if (found.status !== "found") return { status: "missing" };
    const session = this.#format.decode(ref, found.fields);
    const user = request.user ?? session.user;
    const values = { user, device: session.device, data: request.carry(session.data) };
    if (user === session.user) return this.#replace(ref, session.version, request.graceMs, values);
    return this.#move(ref, session.version, values);
  }

  async #replace(
    ref: SessionRef,
    version: number,
    graceMs: number,
    values: SessionValues<Data, Device>,
  ): Promise<Round<Data, Device>> {
    const next = this.#ids.issue(ref.tag);
    const fields = this.#format.encode(next.ref, values);
    const answer = await this.#store.rotate(ref, next.ref, version, graceMs, fields);
    return answer.status === "ok" ? this.#done(next, answer.fields) : answer;
  }

  async #move(ref: SessionRef, version: number, values: SessionValues<Data, Device>): Promise<Round<Data, Device>> {
    const next = this.#ids.issue(this.#ids.tagOf(values.user));
    const reserved = await this.#places.reserve(next.ref, this.#format.encode(next.ref, values));
    if (reserved.status === "limit") return reserved;
    if (reserved.status === "ended") return { status: "conflict" };
    const retired = await this.#retire(ref, next.ref, version);
    if (retired !== "retired") return { status: retired };
    const admitted = await this.#admit(next.ref, reserved.fields);
    return admitted === undefined ? { status: "missing" } : this.#done(next, admitted);
  }

  /** The old session has ended by now, so a failure is not the failure of an operation that was not executed. */
  async #admit(heir: SessionRef, reserved: Buffer[]): Promise<Buffer[] | undefined> {
    try {
      return await this.#places.admit(heir, reserved);
    } catch (cause) {
      const message =
        "sessions.rotate: the old session has ended, and whether the new one lives is unknown; sign in again";
      throw new OutcomeUnknownError(message, { op: "sessions.rotate", key: heir.handle, cause });
    }
  }

  /** Unless the predecessor is known to have ended by this, its successor goes. */
  async #retire(ref: SessionRef, heir: SessionRef, version: number): Promise<RetireResult["status"]> {
    let status: RetireResult["status"] | undefined;
    try {
      ({ status } = await this.#store.retire(ref, heir, version));
      return status;
    } finally {
      // If this fails, the successor expires with its idle time: its id was handed out to nobody.
      if (status !== "retired") await this.#store.destroy(heir, "sessions.rotate").catch(() => undefined);
    }
  }

  #done(next: IssuedId, fields: readonly Buffer[]): SessionRotateResult<Data, Device> {
    return { status: "ok", id: next.id, session: this.#format.decode(next.ref, fields) };
  }
}
