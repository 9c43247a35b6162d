/**
 * Sessions of signed-in users and of anonymous visitors.
 *
 * What it promises: the server never holds an id, only its SHA-256; a session ends by its idle and its absolute time, by the
 * server's clock; a session that has ended stays ended, whatever requests are still under way with it; patches of
 * different fields by parallel requests all survive; `revokeAll` is one atomic step which every later read of every
 * process sees. While no server answers each operation rejects (`UNAVAILABLE`, `TIMEOUT`): an outage is never taken for a
 * valid session, nor for a missing one.
 */
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { checkText } from "../core/keyspace/keyspace.ts";
import { observed } from "../core/observe/observe.ts";
import { type Duration, parseOptions, toMs } from "../base/options.ts";
import type { Runtime } from "../base/runtime.ts";
import { handleOf, SessionIds, type SessionRef } from "./ids.ts";
import {
  fieldCodecOptions,
  SESSIONS_OPTIONS,
  sessionSettings,
  type SessionSettings,
  type SessionsOptions,
} from "./options.ts";
import type { PatchResult } from "./scripts.gen.ts";
import { type SessionRotateResult, Rotation } from "./rotation.ts";
import { type Session, SessionFormat, type SessionInfo, type SessionPatch } from "./session.ts";
import { SessionStore } from "./store.ts";

export interface SessionCreateOptions<Data, Device> {
  /** Whose session it is. @default an anonymous session */
  readonly user?: string;
  readonly data: Data;
  /** Shown by `list`: a browser's name, an address ... @default none */
  readonly device?: Device;
}

export type SessionCreateResult<Data, Device> =
  | { readonly status: "ok"; readonly id: string; readonly session: Session<Data, Device> }
  | { readonly status: "limit"; readonly active: number };

export type SessionPatchResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "revoked" };

export interface SessionPatchOptions {
  /** Patch only the state that was read with this version. @default whatever state there is */
  readonly version?: number;
}

export interface SessionRotateOptions<Data> {
  /** Whose session it becomes. @default the same user's */
  readonly user?: string;
  /** What the session goes on with; must be repeatable. @default the same data */
  readonly data?: (data: Data) => Data;
  /** For this rotation instead of `rotationGrace`. */
  readonly grace?: Duration;
}

export interface SessionRevokeAllOptions {
  /** The id or the handle of a session to spare. */
  readonly except?: string;
}

const MAX_USER_LENGTH = 1_024;
/** A sign-out follows this many rotations that overtake it. */
const MAX_HOPS = 8;
/** Patches under a schema that other patches may come before. */
const MAX_PATCH_ATTEMPTS = 10;

export class Sessions<Data extends object, Device = unknown> {
  readonly name: string;
  readonly #settings: SessionSettings;
  readonly #runtime: Runtime;
  readonly #ids: SessionIds;
  readonly #store: SessionStore;
  readonly #format: SessionFormat<Data, Device>;
  readonly #rotation: Rotation<Data, Device>;

  constructor(core: Core, name: string, given?: SessionsOptions<Data>) {
    this.name = name;
    const where = `sessions ${JSON.stringify(name)}`;
    const [options, settings] = parseOptions(where, given, SESSIONS_OPTIONS, (each) => [each, sessionSettings(each)]);
    this.#settings = settings;
    this.#runtime = core.driver.runtime;
    this.#ids = new SessionIds(core.keys.entries("session", this.name), this.#runtime);
    this.#store = new SessionStore(core, this.#settings);
    const codec = core.codec<unknown>(fieldCodecOptions(options));
    this.#format = new SessionFormat<Data, Device>(codec, options.schema, this.#settings.idleMs);
    this.#rotation = new Rotation<Data, Device>(this.#store, this.#ids, this.#format);
  }

  /**
   * A new session. Its `id` is a secret for the browser's cookie and is found nowhere else: keep it out of logs.
   * Cost: one script; with an eviction one more.
   */
  create(options: SessionCreateOptions<Data, Device>): Promise<SessionCreateResult<Data, Device>> {
    return observed("sessions.create", undefined, async () => {
      const { user, data, device } = options;
      const tag = this.#ids.tagOf(checkUser(user));
      for (;;) {
        const { id, ref } = this.#ids.issue(tag);
        const fields = this.#format.encode(ref, { user, device, data });
        const answer = await this.#store.create(ref, user !== undefined, fields, "sessions.create");
        if (answer.status === "limit") return answer;
        // All of the user's were revoked between the first attempt and its repetition.
        if (answer.status === "ended") continue;
        await this.#store.sweep(this.#ids.refs(ref.tag, answer.evicted), "sessions.create");
        return { status: "ok", id, session: this.#format.decode(ref, answer.fields) };
      }
    });
  }

  /**
   * The session, or undefined where there is none: unknown, expired or revoked. Counts as a use of it.
   * Cost: one script, shared by the calls of one turn of the event loop on one slot; two within the grace of a rotation.
   * @throws CodecError when the session is there and this configuration cannot read it.
   */
  get(id: string): Promise<Session<Data, Device> | undefined> {
    return this.#withRef("sessions.get", id, undefined, (ref) => this.#read(ref));
  }

  /**
   * Changes the given fields of the data and leaves the others; `undefined` removes one. Counts as a use of the session.
   * Safe to repeat after a lost answer: the server knows the last patches. Cost: one script; with a `schema`, which
   * must see the whole, a read before it.
   */
  patch(id: string, patch: SessionPatch<Data>, options: SessionPatchOptions = {}): Promise<SessionPatchResult> {
    return this.#withRef<SessionPatchResult>("sessions.patch", id, { status: "revoked" }, async (ref) => {
      const version = checkVersion(options.version);
      return this.#format.checksWholes ? this.#patchChecked(ref, patch, version) : this.#patch(ref, patch, version);
    });
  }

  /**
   * The session under a new id: at sign-in (`user`), and whenever its rights change. With the same user it keeps its age,
   * and the old id works for the `grace`; with another user it begins anew, counts against that user's limit, and
   * the old id works no more. `missing` for an id that was rotated already. Cost: two scripts, three with another user.
   */
  rotate(id: string, options: SessionRotateOptions<Data> = {}): Promise<SessionRotateResult<Data, Device>> {
    return this.#withRef<SessionRotateResult<Data, Device>>(
      "sessions.rotate",
      id,
      { status: "missing" },
      async (ref) => {
        const graceMs = options.grace === undefined ? this.#settings.graceMs : toMs("grace", options.grace, 0);
        const carry = options.data ?? ((data: Data) => data);
        return this.#rotation.run(ref, { user: checkUser(options.user), graceMs, carry });
      },
    );
  }

  /** Ends the session, also by an id that it had before a rotation; false where there was none. Idempotent. Cost: one script. */
  destroy(id: string): Promise<boolean> {
    return this.#withRef("sessions.destroy", id, false, (ref) => this.#destroy(ref));
  }

  /** The user's live sessions, the one seen last first. Cost: one script, then one HMGET per session in one round trip. */
  list(user: string): Promise<SessionInfo<Device>[]> {
    return observed("sessions.list", user, async () => {
      const tag = this.#ids.tagOf(requireUser(user));
      const refs = this.#ids.refs(tag, await this.#store.list(this.#ids.index(tag)));
      const values = await this.#store.info(refs);
      const infos = refs
        .map((ref, at) => this.#format.decodeInfo(ref, values[at]!))
        .filter((info) => info !== undefined);
      return infos.sort((a, b) => b.lastSeenAt - a.lastSeenAt);
    });
  }

  /** Ends one of the user's sessions by its handle; false where there was none. Idempotent. Cost: one script. */
  revoke(user: string, handle: string): Promise<boolean> {
    return observed("sessions.revoke", user, async () => {
      if (typeof handle !== "string") throw new InvalidArgumentError("handle", "a string", handle);
      const ref = this.#ids.refOfUser(requireUser(user), handle);
      return ref !== undefined && this.#destroy(ref);
    });
  }

  /**
   * Ends all sessions of the user, in one atomic step, and gives their number. Idempotent; a call repeated because its
   * answer was lost counts what the first left. Cost: two scripts.
   */
  revokeAll(user: string, options: SessionRevokeAllOptions = {}): Promise<number> {
    return observed("sessions.revokeAll", user, async () => {
      const tag = this.#ids.tagOf(requireUser(user));
      const except = options.except === undefined ? "" : handleOf(options.except);
      const ended = await this.#store.revokeAll(this.#ids.index(tag), except);
      await this.#store.sweep(this.#ids.refs(tag, ended), "sessions.revokeAll");
      return ended.length;
    });
  }

  /** Runs `body` for an id; one that cannot be an id gives `none`. Traces name the handle, never the id. */
  #withRef<T>(op: string, id: string, none: T, body: (ref: SessionRef) => Promise<T>): Promise<T> {
    const ref = typeof id === "string" ? this.#ids.ref(id) : undefined;
    return observed(op, ref?.handle, async () => {
      if (typeof id !== "string") throw new InvalidArgumentError("id", "a string", id, { op });
      return ref === undefined ? none : body(ref);
    });
  }

  async #read(ref: SessionRef): Promise<Session<Data, Device> | undefined> {
    const first = await this.#store.get(ref);
    if (first.status === "found") return this.#format.decode(ref, first.fields);
    if (first.status === "missing") return undefined;
    const successor = this.#ids.refOfTarget(first.target);
    const second = await this.#store.get(successor);
    return second.status === "found" ? this.#format.decode(successor, second.fields) : undefined;
  }

  /** Under an id that was rotated the same patch goes to the successor. */
  async #patch(ref: SessionRef, patch: SessionPatch<Data>, expected: number): Promise<SessionPatchResult> {
    const patchId = this.#runtime.randomBytes(6).toString("hex");
    const at = (where: SessionRef): Promise<PatchResult> =>
      this.#store.patch(where, { patchId, expected, ...this.#format.encodePatch(where, patch) });
    const first = await at(ref);
    const answer = first.status === "moved" ? await at(this.#ids.refOfTarget(first.target)) : first;
    return answer.status === "moved" ? { status: "revoked" } : answer;
  }

  /** Reads, checks the whole, and writes only if the whole is still the one that was checked. */
  async #patchChecked(ref: SessionRef, patch: SessionPatch<Data>, expected: number): Promise<SessionPatchResult> {
    let outcome: SessionPatchResult = { status: "revoked" };
    for (let attempt = 0; attempt < MAX_PATCH_ATTEMPTS; attempt += 1) {
      const session = await this.#read(ref);
      if (session === undefined) return { status: "revoked" };
      if (expected > 0 && expected !== session.version) return { status: "conflict", version: session.version };
      const whole = this.#format.checked({ ...session.data, ...patch });
      const changed = Object.keys(patch).map((name) => [name, whole[name as keyof Data]]);
      outcome = await this.#patch(ref, Object.fromEntries(changed) as SessionPatch<Data>, session.version);
      if (outcome.status !== "conflict") return outcome;
    }
    return outcome;
  }

  async #destroy(ref: SessionRef, hops = MAX_HOPS): Promise<boolean> {
    const answer = await this.#store.destroy(ref);
    if (answer.status !== "moved") return answer.status === "destroyed";
    return hops > 0 && this.#destroy(this.#ids.refOfTarget(answer.target), hops - 1);
  }
}

function checkUser(user: string | undefined): string | undefined {
  return user === undefined ? undefined : requireUser(user);
}

function requireUser(user: string): string {
  return checkText("user", user, MAX_USER_LENGTH);
}

/** 0, which no session has, for any. */
function checkVersion(version: number | undefined): number {
  if (version === undefined) return 0;
  if (Number.isSafeInteger(version) && version > 0) return version;
  throw new InvalidArgumentError("version", "the version of a session that was read", version);
}
