/** The places of a user's sessions: who may have one, and who loses it. */
import type { SessionIds, SessionRef } from "./ids.ts";
import type { CreateResult } from "./scripts.gen.ts";
import type { Fields, SessionStore } from "./store.ts";

/** `limit`: the user has that many sessions; `ended`: all of the user's were revoked while the call was repeated. */
export type PlaceResult =
  | Exclude<CreateResult, { status: "ok" }>
  | { readonly status: "ok"; readonly fields: Buffer[] };

export class SessionPlaces {
  readonly #store: SessionStore;
  readonly #ids: SessionIds;

  constructor(store: SessionStore, ids: SessionIds) {
    this.#store = store;
    this.#ids = ids;
  }

  /** A session within the user's limit; beyond it another is evicted, or it is refused. */
  async take(ref: SessionRef, hasUser: boolean, fields: Fields): Promise<PlaceResult> {
    const create = (): Promise<CreateResult> => this.#store.create(ref, hasUser, false, fields, "sessions.create");
    return this.#settle(ref, await this.#orAfterLost(ref, create), "sessions.create");
  }

  /**
   * As `take`, for a session that may turn out to be needless. Beyond the limit it is refused; where others would be
   * evicted, that waits for `admit`, and until then it is not alive.
   */
  reserve(ref: SessionRef, fields: Fields): Promise<CreateResult> {
    const pending = this.#store.evicts;
    return this.#orAfterLost(ref, () => this.#store.create(ref, true, pending, fields, "sessions.rotate"));
  }

  /** Lets a reserved session live; undefined if it has ended meanwhile. */
  async admit(ref: SessionRef, reserved: Buffer[]): Promise<Buffer[] | undefined> {
    if (!this.#store.evicts) return reserved;
    const answer = await this.#store.admit(ref);
    if (answer.status === "missing") return undefined;
    await this.#sweep(ref, answer.evicted, "sessions.rotate");
    return answer.fields;
  }

  /** Frees the places of sessions that the server has lost (evicted); returns how many. */
  async freeLost(tag: string, lost: readonly SessionRef[]): Promise<number> {
    return lost.length === 0 ? 0 : this.#store.delist(this.#ids.index(tag), lost);
  }

  /** A limit that only lost sessions fill is none. */
  async #orAfterLost(ref: SessionRef, create: () => Promise<CreateResult>): Promise<CreateResult> {
    const answer = await create();
    if (answer.status !== "limit") return answer;
    const refs = this.#ids.refs(ref.tag, await this.#store.list(ref.index));
    const values = await this.#store.info(refs);
    const lost = refs.filter((_, at) => values[at]![0] === null);
    return (await this.freeLost(ref.tag, lost)) > 0 ? create() : answer;
  }

  async #settle(ref: SessionRef, answer: CreateResult, op: string): Promise<PlaceResult> {
    if (answer.status !== "ok") return answer;
    await this.#sweep(ref, answer.evicted, op);
    return { status: "ok", fields: answer.fields };
  }

  #sweep(ref: SessionRef, evicted: readonly string[], op: string): Promise<void> {
    return this.#store.sweep(this.#ids.refs(ref.tag, evicted), op);
  }
}
