/** Changes of a live session's data. An alias is the session: a change under an id from before a rotation goes to the successor. */
import { InvalidArgumentError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";
import { untilNoConflict } from "../core/update/compare-and-set.ts";
import type { SessionIds, SessionRef } from "./ids.ts";
import type { PatchResult } from "./scripts.gen.ts";
import { fieldsOf, type Session, type SessionFormat, type SessionPatch } from "./session.ts";
import type { PatchOp, SessionStore } from "./store.ts";

/** `conflict`: the session has another version, and nothing was changed; `revoked`: it has ended. */
export type SessionPatchResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "revoked" };

/** `conflict`: other changes intervened each time, and nothing was changed; `revoked`: the session has ended. */
export type SessionUpdateResult<Data> =
  | { readonly status: "ok"; readonly data: Data; readonly version: number }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "revoked" };

/** As many parallel requests of one visitor all get their turn. */
const MAX_ROUNDS = 50;
/** 0, which no session has. */
const ANY_VERSION = 0;

export class SessionChanges<Data extends object, Device> {
  readonly #runtime: Runtime;
  readonly #store: SessionStore;
  readonly #ids: SessionIds;
  readonly #format: SessionFormat<Data, Device>;

  constructor(runtime: Runtime, store: SessionStore, ids: SessionIds, format: SessionFormat<Data, Device>) {
    this.#runtime = runtime;
    this.#store = store;
    this.#ids = ids;
    this.#format = format;
  }

  async read(ref: SessionRef): Promise<Session<Data, Device> | undefined> {
    const first = await this.#store.get(ref);
    if (first.status === "found") return this.#format.decode(ref, first.fields);
    if (first.status === "missing") return undefined;
    const successor = this.#ids.refOfTarget(first.target);
    const second = await this.#store.get(successor, ref);
    return second.status === "found" ? this.#format.decode(successor, second.fields) : undefined;
  }

  /** @param version the only one that may be changed; undefined for any */
  async patch(ref: SessionRef, patch: SessionPatch<Data>, version: number | undefined): Promise<SessionPatchResult> {
    const expected = checkVersion(version);
    const fields = fieldsOf("patch", patch);
    if (!this.#format.checksWholes) return this.#patch("sessions.patch", ref, fields, expected);
    const rounds = expected === ANY_VERSION ? MAX_ROUNDS : 1;
    return untilNoConflict(this.#runtime, rounds, () => this.#patchChecked(ref, fields, expected));
  }

  update(
    ref: SessionRef,
    change: (data: Data) => Data | Promise<Data>,
    initial: Partial<Data> | undefined,
  ): Promise<SessionUpdateResult<Data>> {
    return untilNoConflict(this.#runtime, MAX_ROUNDS, () => this.#update(ref, change, initial));
  }

  async #update(
    ref: SessionRef,
    change: (data: Data) => Data | Promise<Data>,
    initial: Partial<Data> | undefined,
  ): Promise<SessionUpdateResult<Data>> {
    const session = await this.read(ref);
    if (session === undefined) return { status: "revoked" };
    const begun = initial === undefined ? session.data : { ...this.#format.copy(ref, initial), ...session.data };
    const data = this.#format.checked(fieldsOf("change", await change(begun)));
    const gone = Object.keys(session.data).map((name) => [name, undefined]);
    // fromEntries defines own properties, so a field called __proto__ is a field like any other.
    const whole = Object.fromEntries([...gone, ...Object.entries(data)]) as SessionPatch<Data>;
    const written = await this.#patch("sessions.update", ref, whole, session.version);
    return written.status === "ok" ? { status: "ok", data, version: written.version } : written;
  }

  /** Checks the whole, and writes only if the whole is still the one that was checked. */
  async #patchChecked(ref: SessionRef, patch: SessionPatch<Data>, expected: number): Promise<SessionPatchResult> {
    const session = await this.read(ref);
    if (session === undefined) return { status: "revoked" };
    if (expected !== ANY_VERSION && expected !== session.version)
      return { status: "conflict", version: session.version };
    const whole = this.#format.checked({ ...session.data, ...patch });
    // Own fields only: every object has a `constructor`.
    const own = new Map(Object.entries(whole));
    const changed = Object.keys(patch).map((name) => [name, own.get(name)]);
    return this.#patch("sessions.patch", ref, Object.fromEntries(changed) as SessionPatch<Data>, session.version);
  }

  async #patch(op: PatchOp, ref: SessionRef, patch: SessionPatch<Data>, expected: number): Promise<SessionPatchResult> {
    const patchId = this.#runtime.randomBytes(6).toString("hex");
    const sent = { before: false };
    const at = (where: SessionRef, via?: SessionRef): Promise<PatchResult> =>
      this.#store.patch(op, where, { via, sent, patchId, expected, ...this.#format.encodePatch(where, patch) });
    const first = await at(ref);
    const answer = first.status === "moved" ? await at(this.#ids.refOfTarget(first.target), ref) : first;
    if (answer.status === "ok") return answer;
    return answer.status === "conflict" ? answer : { status: "revoked" };
  }
}

function checkVersion(version: number | undefined): number {
  if (version === undefined) return ANY_VERSION;
  if (Number.isSafeInteger(version) && version > 0) return version;
  throw new InvalidArgumentError("version", "the version of a session that was read", version);
}
