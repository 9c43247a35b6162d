/**
 * Session ids and what the server knows them by.
 *
 *     id      = tag "." secret      what the browser has: 96 bits that route, 256 random bits that authenticate
 *     handle  = SHA-256(id)         what the server stores; a handle given as an id is hashed again and finds nothing
 *
 * The tag is the hash tag of the session's keys. A user's tag is made from the user, so all sessions of one user are of
 * one slot and one script changes them together. It is 96 bits long because it also names the user's index: at 48 bits
 * somebody who may choose user names could search for one that shares a victim's index. An anonymous tag is random.
 */
import { hash } from "node:crypto";
import type { EntryKeys } from "../core/keyspace/keyspace.ts";
import type { Runtime } from "../base/runtime.ts";

const TAG_BYTES = 12;
const SECRET_BYTES = 32;
const TAG_LENGTH = 16;
const ID = /^[\w-]{16}\.[\w-]{43}$/;
const HANDLE = /^[\w-]{43}$/;

/** Where a session is on the server. */
export interface SessionRef {
  readonly tag: string;
  readonly handle: string;
  /** Key of the session's hash. */
  readonly session: string;
  /** Key of the sorted set of its user's sessions, in the same slot. Anonymous sessions do not use theirs. */
  readonly index: string;
}

export interface IssuedId {
  readonly id: string;
  readonly ref: SessionRef;
}

export class SessionIds {
  readonly #keys: EntryKeys;
  readonly #runtime: Runtime;

  constructor(keys: EntryKeys, runtime: Runtime) {
    this.#keys = keys;
    this.#runtime = runtime;
  }

  tagOf(user: string | undefined): string {
    if (user === undefined) return this.#runtime.randomBytes(TAG_BYTES).toString("base64url");
    return hash("sha256", `${this.#keys.head}${user}`, "base64url").slice(0, TAG_LENGTH);
  }

  issue(tag: string): IssuedId {
    const id = `${tag}.${this.#runtime.randomBytes(SECRET_BYTES).toString("base64url")}`;
    return { id, ref: this.#ref(tag, handleOf(id)) };
  }

  /** Undefined for text that no `issue` has made: it needs no question to the server. */
  ref(id: string): SessionRef | undefined {
    return ID.test(id) ? this.#ref(id.slice(0, TAG_LENGTH), handleOf(id)) : undefined;
  }

  /** One of a user's sessions by its handle, which is not secret and opens nothing. */
  refOfUser(user: string, handle: string): SessionRef | undefined {
    return HANDLE.test(handle) ? this.#ref(this.tagOf(user), handle) : undefined;
  }

  /** The sessions of a tag that a script named by their handles. */
  refs(tag: string, handles: readonly string[]): SessionRef[] {
    return handles.map((handle) => this.#ref(tag, handle));
  }

  index(tag: string): string {
    return this.#keys.part(tag, "index");
  }

  /** The reverse of `targetOf`. */
  refOfTarget(target: string): SessionRef {
    const [tag, handle] = target.split("/") as [string, string];
    return this.#ref(tag, handle);
  }

  #ref(tag: string, handle: string): SessionRef {
    return { tag, handle, session: this.#keys.part(tag, handle), index: this.index(tag) };
  }
}

/** How a rotated session's old key names its successor. */
export function targetOf(ref: SessionRef): string {
  return `${ref.tag}/${ref.handle}`;
}

/** Of an id, or the handle itself. */
export function handleOf(idOrHandle: string): string {
  return HANDLE.test(idOrHandle) ? idOrHandle : hash("sha256", idOrHandle, "base64url");
}
