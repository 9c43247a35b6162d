/**
 * Which locks are held, for those who list them: a hint, written after a grant and taken back after a release, by nobody who is
 * waited for. In partitions, as a cluster has no slot for all; which one is decided by the lock's name. A hold that nobody takes off
 * is over by its ttl; each change clears two of those.
 */
import type { Core } from "../core/core.ts";
import { decodeList, decodeText } from "../core/script/decode.ts";
import { decodedBy, runScript } from "../core/script/run.ts";
import { slotOf } from "../driver/slot.ts";
import type { LockRequest } from "./grant.ts";
import { indexHold } from "./scripts.gen.ts";

/** Never another number: a lock would be looked for where it is not. */
export const PARTITIONS = 16;
const SEPARATOR = "\0";
const TOKEN_LENGTH = 36;

type Hold = Pick<LockRequest, "token">;

export class LockIndex {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Lists a hold, or lists it for longer. */
  add(name: string, { token }: Hold, keepMs: number): void {
    this.#write(name, token, keepMs);
  }

  remove(name: string, { token }: Hold): void {
    this.#write(name, token, 0);
  }

  /** Entries of a partition in the order of their names' bytes. @param after the last one before them */
  async page(partition: number, after: string | undefined, limit: number): Promise<string[]> {
    const { ids } = this.#keysOf(partition);
    const from = after === undefined ? "-" : `(${after}`;
    const call = { op: "locks.list", class: "read" } as const;
    const args = ["ZRANGE", ids, from, "+", "BYLEX", "LIMIT", "0", String(limit)];
    const reply = await this.#core.driver.send(args, call, ids);
    return decodedBy((received) => decodeList(received, decodeText), reply, "ZRANGE", { op: call.op, key: undefined });
  }

  #keysOf(partition: number): { readonly ids: string; readonly ends: string } {
    const keys = this.#core.keys.group("locks", "index", partition);
    return { ids: keys.part("ids"), ends: keys.part("ends") };
  }

  #write(name: string, token: string, keepMs: number): void {
    const keys = this.#keysOf(slotOf(name) % PARTITIONS);
    const args = { member: `${name}${SEPARATOR}${token}`, keepMs };
    // A hint: what could not be written is found again at the next renewal, or is over by its ttl.
    runScript(this.#core.driver, indexHold, keys, args, { op: "lock.index", key: name }).catch(() => undefined);
  }
}

/** The lock that an entry of the index is of. */
export function lockOf(entry: string): string {
  return entry.slice(0, -TOKEN_LENGTH - SEPARATOR.length);
}
