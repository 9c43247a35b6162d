/**
 * Sessions of signed-in users and of anonymous visitors.
 *
 * Promises: the server never holds an id, only its SHA-256; a session expires by its idle and its absolute time, by the
 * server's clock; a session that has ended stays ended, whatever requests are still in flight with it; patches of
 * different fields by parallel requests all survive; `revokeAll` is one atomic step which every later read of every
 * process sees. While no server answers each operation rejects (`UNAVAILABLE`, `TIMEOUT`): an outage is never taken for a
 * valid session, nor for a missing one. A server that answers but takes no writes (memory full, disk broken, replicas
 * missing) still answers reads.
 */
import { checkSchema } from "../core/codec/schema.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { checkText } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { type Duration, givenOptions, type OptionNames, parseOptions, toMs } from "../base/options.ts";
import { SessionChanges, type SessionPatchResult, type SessionUpdateResult } from "./changes.ts";
import { handleOf, SessionIds, type SessionRef } from "./ids.ts";
import { SESSIONS_OPTIONS, sessionSettings, type SessionSettings, type SessionsOptions } from "./options.ts";
import { SessionPlaces } from "./places.ts";
import { Rotation, type SessionRotateResult } from "./rotation.ts";
import { type Session, SessionFormat, type SessionInfo, type SessionPatch } from "./session.ts";
import { SessionStore } from "./store.ts";

export interface SessionCreateOptions<Data, Device> {
  /** Whose session it is. @default an anonymous session */
  readonly user?: string | undefined;
  readonly data: Data;
  /** Shown by `list`: a browser's name, an address ... @default none */
  readonly device?: Device | undefined;
}

/** `limit`: the user has `active` sessions, and `onLimit` is `reject`. */
export type SessionCreateResult<Data, Device = unknown> =
  | { readonly status: "ok"; readonly id: string; readonly session: Session<Data, Device> }
  | { readonly status: "limit"; readonly active: number };

export interface SessionPatchOptions {
  /** Patch only the state that was read with this version. @default whatever state there is */
  readonly version?: number | undefined;
}

export interface SessionUpdateOptions<Data> {
  /** Fields that `change` finds where the session does not have them yet. @default none */
  readonly initial?: Partial<Data> | undefined;
}

export interface SessionRotateOptions<Data> {
  /** Whose session it becomes. @default the same user's */
  readonly user?: string | undefined;
  /** What becomes of the data; may be called more than once. @default the same data */
  readonly data?: ((data: Data) => Data) | undefined;
  /** For this rotation instead of `rotationGrace`. */
  readonly grace?: Duration | undefined;
}

export interface SessionRevokeAllOptions {
  /**
   * The id or the handle of a session to spare. An id from before a rotation spares the session it opens; named by its
   * own id or handle, the session is spared and the id from before its rotation opens it no longer. @default none
   */
  readonly except?: string | undefined;
}

export interface SessionsStats {
  /** Reads of this process that could not restart the idle time, because the server took no writes. */
  readonly untouchedReads: number;
}

const CREATE_OPTIONS: OptionNames<SessionCreateOptions<object, unknown>> = { user: true, data: true, device: true };
const PATCH_OPTIONS: OptionNames<SessionPatchOptions> = { version: true };
const UPDATE_OPTIONS: OptionNames<SessionUpdateOptions<object>> = { initial: true };
const ROTATE_OPTIONS: OptionNames<SessionRotateOptions<object>> = { user: true, data: true, grace: true };
const REVOKE_ALL_OPTIONS: OptionNames<SessionRevokeAllOptions> = { except: true };

const MAX_USER_LENGTH = 1_024;
/** A sign-out follows this many rotations that overtake it. */
const MAX_HOPS = 8;

/**
 * The sessions of one name.
 * @example
 * const sessions = hf.sessions<{ cart: string[] }>({ idleTimeout: "30m" });
 * const visit = await sessions.create({ data: { cart: [] } });
 * if (visit.status === "ok") await sessions.update(visit.id, (data) => ({ cart: [...data.cart, "book"] }));
 */
export class Sessions<Data extends object, Device = unknown> {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: SessionSettings;
  readonly #ids: SessionIds;
  readonly #store: SessionStore;
  readonly #places: SessionPlaces;
  readonly #format: SessionFormat<Data, Device>;
  readonly #changes: SessionChanges<Data, Device>;
  readonly #rotation: Rotation<Data, Device>;

  constructor(core: Core, name: string, given?: SessionsOptions<Data>) {
    this.name = name;
    this.#operations = new Operations("sessions", name);
    const [settings, codec, schema] = parseOptions(this.#operations.where, given, SESSIONS_OPTIONS, (options) => [
      sessionSettings(options),
      // For one field at a time, so without the schema of the whole.
      core.codec<unknown>({ ...options, schema: undefined }),
      checkSchema(options.schema),
    ]);
    const { runtime } = core.driver;
    this.#settings = settings;
    this.#ids = new SessionIds(core.keys.entries("session", name), runtime);
    this.#store = new SessionStore(core, settings);
    this.#places = new SessionPlaces(this.#store, this.#ids);
    this.#format = new SessionFormat<Data, Device>(codec, schema, settings.idleMs);
    this.#changes = new SessionChanges(runtime, this.#store, this.#ids, this.#format);
    this.#rotation = new Rotation(runtime, this.#store, this.#places, this.#ids, this.#format);
  }

  /**
   * Creates a session. Its `id` is a secret for the browser's cookie and is found nowhere else: keep it out of logs.
   * Cost: one script; with an eviction one more.
   */
  create(options: SessionCreateOptions<Data, Device>): Promise<SessionCreateResult<Data, Device>> {
    const body = async (): Promise<SessionCreateResult<Data, Device>> => {
      const { user, data, device } = givenOptions(options, CREATE_OPTIONS);
      const tag = this.#ids.tagOf(checkUser(user));
      for (;;) {
        const { id, ref } = this.#ids.issue(tag);
        const fields = this.#format.encode(ref, { user, device, data });
        const answer = await this.#places.take(ref, user !== undefined, fields);
        if (answer.status === "limit") return answer;
        // All of the user's were revoked between the first attempt and its repetition.
        if (answer.status === "ended") continue;
        return { status: "ok", id, session: this.#format.decode(ref, answer.fields) };
      }
    };
    return this.#operations.run("create", undefined, body, shown);
  }

  /**
   * Returns the session, or undefined where there is none: unknown, expired or revoked. Counts as a use of it.
   * Cost: one script, shared by the calls made in the same tick on the same slot; two within the grace of a rotation.
   * @throws CodecError when the session is there and this configuration cannot read it
   */
  get(id: string): Promise<Session<Data, Device> | undefined> {
    return this.#withRef("get", id, undefined, (ref) => this.#changes.read(ref), handleShown);
  }

  /**
   * Changes the given fields of the data and leaves the others; `undefined` removes one. Counts as a use of the session.
   * Safe to repeat after a lost answer: the server knows the last patches.
   * Cost: one script; with a `schema`, which must see the whole, a read before it.
   * @throws OutcomeUnknownError when the answer was lost and the server knows no longer whether it was applied
   */
  patch(id: string, patch: SessionPatch<Data>, options?: SessionPatchOptions): Promise<SessionPatchResult> {
    return this.#withRef<SessionPatchResult>("patch", id, { status: "revoked" }, async (ref) => {
      return this.#changes.patch(ref, patch, givenOptions(options, PATCH_OPTIONS).version);
    });
  }

  /**
   * Writes what `change` makes of the data, if nobody wrote meanwhile; else again with the new state, so `change` may be
   * called more than once. Its error is passed on and nothing is written. Safe after a lost answer: written once.
   * Cost: a read and a script per round.
   * @throws OutcomeUnknownError when an answer was lost and whether it was written can no longer be known
   */
  update(
    id: string,
    change: (data: Data) => Data | Promise<Data>,
    options?: SessionUpdateOptions<Data>,
  ): Promise<SessionUpdateResult<Data>> {
    const body = async (ref: SessionRef): Promise<SessionUpdateResult<Data>> => {
      if (typeof change !== "function") throw new InvalidArgumentError("change", "a function", change);
      return this.#changes.update(ref, change, givenOptions(options, UPDATE_OPTIONS).initial);
    };
    return this.#withRef("update", id, { status: "revoked" }, body, ({ status }) => ({ status }));
  }

  /**
   * Puts the session under a new id: at sign-in (`user`), and whenever its rights change. With the same user it keeps its age,
   * and the old id works for the `grace`; with another user it begins again, counts against that user's limit, and the old
   * id opens nothing. `missing` for an id that was rotated already: to follow it would end the id that was just handed out.
   * Cost: two scripts; with another user three, or four where sessions are evicted.
   */
  rotate(id: string, options?: SessionRotateOptions<Data>): Promise<SessionRotateResult<Data, Device>> {
    const body = async (ref: SessionRef): Promise<SessionRotateResult<Data, Device>> => {
      const { user, data, grace } = givenOptions(options, ROTATE_OPTIONS);
      const graceMs = grace === undefined ? this.#settings.graceMs : toMs("grace", grace, 0);
      if (data !== undefined && typeof data !== "function") throw new InvalidArgumentError("data", "a function", data);
      return this.#rotation.run(ref, { user: checkUser(user), graceMs, carry: data ?? ((same) => same) });
    };
    return this.#withRef("rotate", id, { status: "missing" }, body, shown);
  }

  /** Ends the session, also by an id from before a rotation; false where there was none. Idempotent. Cost: one script. */
  destroy(id: string): Promise<boolean> {
    return this.#withRef("destroy", id, false, (ref) => this.#destroy(ref));
  }

  /** Returns the user's live sessions, the one seen last first. Cost: one script, and an HMGET per session, pipelined. */
  list(user: string): Promise<SessionInfo<Device>[]> {
    return this.#operations.run("list", user, async () => {
      const tag = this.#ids.tagOf(requireUser(user));
      const refs = this.#ids.refs(tag, await this.#store.list(this.#ids.index(tag)));
      const values = await this.#store.info(refs);
      const infos = refs.map((ref, at) => this.#format.decodeInfo(ref, values[at]!));
      const lost = refs.filter((_, at) => infos[at] === undefined);
      // The list is right without it.
      await this.#places.freeLost(tag, lost).catch(() => undefined);
      return infos.filter((info) => info !== undefined).sort((a, b) => b.lastSeenAt - a.lastSeenAt);
    });
  }

  /** Ends one of the user's sessions by its handle; false where there was none. Idempotent. Cost: one script. */
  revoke(user: string, handle: string): Promise<boolean> {
    return this.#operations.run("revoke", user, async () => {
      if (typeof handle !== "string") throw new InvalidArgumentError("handle", "a string", handle);
      const ref = this.#ids.refOfUser(requireUser(user), handle);
      return ref !== undefined && this.#destroy(ref);
    });
  }

  /**
   * Ends all sessions of the user, in one atomic step, and returns their number. Idempotent; a call repeated because its
   * answer was lost counts what the first left. Cost: two scripts.
   */
  revokeAll(user: string, options?: SessionRevokeAllOptions): Promise<number> {
    return this.#operations.run("revokeAll", user, async () => {
      const tag = this.#ids.tagOf(requireUser(user));
      const { except = "" } = givenOptions(options, REVOKE_ALL_OPTIONS);
      if (typeof except !== "string") throw new InvalidArgumentError("except", "an id or a handle", except);
      const [spared] = this.#ids.refs(tag, [except === "" ? "" : handleOf(except)]);
      const ended = await this.#store.revokeAll(spared!);
      await this.#store.sweep(this.#ids.refs(tag, ended), "sessions.revokeAll");
      return ended.length;
    });
  }

  /** Returns what this process counted. Cost: nothing. */
  stats(): SessionsStats {
    return { untouchedReads: this.#store.untouched };
  }

  /** Runs `body` for an id; resolves with `none` for one that cannot be an id. Traces name the handle, never the id. */
  #withRef<T>(
    verb: string,
    id: string,
    none: T,
    body: (ref: SessionRef) => Promise<T>,
    traced?: (result: T) => unknown,
  ): Promise<T> {
    const ref = typeof id === "string" ? this.#ids.ref(id) : undefined;
    const run = async (): Promise<T> => {
      if (typeof id !== "string") throw new InvalidArgumentError("id", "a string", id);
      return ref === undefined ? none : body(ref);
    };
    return this.#operations.run(verb, ref?.handle, run, traced);
  }

  async #destroy(ref: SessionRef, hops = MAX_HOPS): Promise<boolean> {
    const answer = await this.#store.destroy(ref);
    if (answer.status !== "moved") return answer.status === "destroyed";
    return hops > 0 && this.#destroy(this.#ids.refOfTarget(answer.target), hops - 1);
  }
}

/** What traces see of a result: the id and the data are the visitor's alone. */
function shown(result: SessionCreateResult<unknown> | { readonly status: "missing" }): {
  readonly status: string;
  readonly handle?: string;
} {
  return result.status === "ok" ? { status: "ok", handle: result.session.handle } : result;
}

function handleShown(session: Session<unknown> | undefined): { readonly handle: string } | undefined {
  return session === undefined ? undefined : { handle: session.handle };
}

function checkUser(user: string | undefined): string | undefined {
  return user === undefined ? undefined : requireUser(user);
}

function requireUser(user: string): string {
  return checkText("user", user, MAX_USER_LENGTH);
}
