/**
 * A session under a new id.
 *
 * Values are sealed to their key, so they are read, encoded anew and written under the version that was read.
 * - The user stays: one script puts the successor in the predecessor's place. The old id reads the successor for
 *   a few seconds more, one hop far, and no longer than the successor lives.
 * - The user changes (sign-in): the successor is of another slot, so it is created first and the predecessor ended
 *   after. A process that dies between the two leaves a successor whose id nobody has. The old id reads nothing from then
 *   on, for whoever planted it in the browser (session fixation) may know it too; all that is left of it is a
 *   trace by which a sign-out under way with the old id ends the successor.
 * A predecessor that ends while this runs takes the successor with it.
 */
import { HoldfastError } from "../base/errors.ts";
import type { IssuedId, SessionIds, SessionRef } from "./ids.ts";
import type { Session, SessionFormat, SessionValues } from "./session.ts";
import type { SessionStore } from "./store.ts";

export type SessionRotateResult<Data, Device> =
  | { readonly status: "ok"; readonly id: string; readonly session: Session<Data, Device> }
  | { readonly status: "limit"; readonly active: number }
  | { readonly status: "missing" };

export interface RotationRequest<Data> {
  readonly user: string | undefined;
  readonly graceMs: number;
  /** What becomes of the data; called again when a patch came between. */
  readonly carry: (data: Data) => Data;
}

type Step<Data, Device> = SessionRotateResult<Data, Device> | { readonly status: "conflict" };

/** Each attempt fails only because a patch succeeded meanwhile. */
const MAX_ATTEMPTS = 10;

export class Rotation<Data extends object, Device> {
  readonly #store: SessionStore;
  readonly #ids: SessionIds;
  readonly #format: SessionFormat<Data, Device>;

  constructor(store: SessionStore, ids: SessionIds, format: SessionFormat<Data, Device>) {
    this.#store = store;
    this.#ids = ids;
    this.#format = format;
  }

  async run(ref: SessionRef, request: RotationRequest<Data>): Promise<SessionRotateResult<Data, Device>> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const outcome = await this.#attempt(ref, request);
      if (outcome.status !== "conflict") return outcome;
    }
    const message = `the session was patched during each of ${MAX_ATTEMPTS} attempts; nothing was changed`;
    throw new HoldfastError("CONFLICT", message, { op: "sessions.rotate", key: ref.handle, retryable: true });
  }

  async #attempt(ref: SessionRef, request: RotationRequest<Data>): Promise<Step<Data, Device>> {
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
  ): Promise<Step<Data, Device>> {
    const next = this.#ids.issue(ref.tag);
    const fields = this.#format.encode(next.ref, values);
    const answer = await this.#store.rotate(ref, next.ref, version, graceMs, fields);
    return answer.status === "ok" ? this.#done(next, answer.fields) : answer;
  }

  async #move(ref: SessionRef, version: number, values: SessionValues<Data, Device>): Promise<Step<Data, Device>> {
    const next = this.#ids.issue(this.#ids.tagOf(values.user));
    const fields = this.#format.encode(next.ref, values);
    const created = await this.#store.create(next.ref, true, fields, "sessions.rotate");
    if (created.status === "limit") return created;
    if (created.status === "ended") return { status: "conflict" };
    const retired = await this.#retire(ref, next.ref, version);
    await this.#store.sweep(this.#ids.refs(next.ref.tag, created.evicted), "sessions.rotate");
    return retired === "retired" ? this.#done(next, created.fields) : { status: retired };
  }

  /** Unless the predecessor is known to have ended by this, its successor goes. */
  async #retire(ref: SessionRef, heir: SessionRef, version: number): Promise<"retired" | "conflict" | "missing"> {
    let status: "retired" | "conflict" | "missing" | undefined;
    try {
      ({ status } = await this.#store.retire(ref, heir, version));
      return status;
    } finally {
      // A successor that stays has an id that was given to nobody, and ends with its idle time.
      if (status !== "retired") await this.#store.destroy(heir, "sessions.rotate").catch(() => undefined);
    }
  }

  #done(next: IssuedId, fields: readonly Buffer[]): SessionRotateResult<Data, Device> {
    return { status: "ok", id: next.id, session: this.#format.decode(next.ref, fields) };
  }
}
