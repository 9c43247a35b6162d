/** The members of a room at one version, in bytes as they are stored, and the changes that lead to the next. */

export interface DeviceEntry {
  /** Milliseconds since 1970 by the server's clock. */
  readonly joinedAt: number;
  readonly meta: Buffer;
}

/** By the devices' names. Never changed: another one takes its place. */
export type Devices = ReadonlyMap<string, DeviceEntry>;

/** What one script has changed. Version 0: the room has begun again. Nothing is in one that says when to look alone. */
export interface RoomMessage {
  readonly epoch: number;
  readonly version: number;
  /** Somebody may be out after so long; -1: nobody else than was known. */
  readonly dueMs: number;
  readonly items: readonly { readonly session: Buffer; readonly entry: Buffer | undefined }[];
}

export interface RoomChange {
  readonly user: string;
  readonly before: Devices | undefined;
}

export interface StoredRow {
  readonly session: Buffer;
  readonly entry: Buffer;
}

const NEW_LINE = 10;
const COLON = 58;
const PLUS = 43;

export class Roster {
  readonly #users = new Map<string, Devices>();
  #epoch: number;
  #version: number;

  constructor(epoch: number, version: number) {
    this.#epoch = epoch;
    this.#version = version;
  }

  /** Of the room's data; 0 where there is none. */
  get epoch(): number {
    return this.#epoch;
  }

  get version(): number {
    return this.#version;
  }

  get users(): number {
    return this.#users.size;
  }

  of(user: string): Devices | undefined {
    return this.#users.get(user);
  }

  entries(): IterableIterator<[string, Devices]> {
    return this.#users.entries();
  }

  /** Returns the last row's user. */
  add(rows: readonly StoredRow[]): Buffer | undefined {
    for (const { session, entry } of rows) this.#set(session, entry);
    const last = rows.at(-1)?.session;
    return last?.subarray(0, last.indexOf(0));
  }

  /** `gap`: it does not follow, and nothing was changed. @param changes gets the users whose devices are others now */
  apply({ epoch, version, items }: RoomMessage, changes: RoomChange[] = []): "ok" | "old" | "gap" {
    if (epoch === this.#epoch ? version <= this.#version : epoch < this.#epoch) return "old";
    // A room that was empty begins again.
    const follows = epoch === this.#epoch ? version === this.#version + 1 : version === 1 && this.users === 0;
    if (!follows) return "gap";
    this.#epoch = epoch;
    this.#version = version;
    for (const { session, entry } of items) {
      const change = this.#set(session, entry);
      if (change !== undefined) changes.push(change);
    }
    return "ok";
  }

  #set(session: Buffer, entry: Buffer | undefined): RoomChange | undefined {
    const at = session.indexOf(0);
    const [user, device] = [session.toString("utf8", 0, at), session.toString("utf8", at + 1)];
    const before = this.#users.get(user);
    const known = before?.get(device);
    const now = entry && deviceEntry(entry);
    if (now === undefined ? known === undefined : known !== undefined && isSame(known, now)) return undefined;
    const devices = new Map(before);
    if (now === undefined) devices.delete(device);
    else devices.set(device, now);
    if (devices.size === 0) this.#users.delete(user);
    else this.#users.set(user, devices);
    return { user, before };
  }
}

/** `<joined ms>:<meta>` */
export function deviceEntry(entry: Buffer): DeviceEntry {
  const at = entry.indexOf(COLON);
  // A copy, which does not hold the whole message.
  return { joinedAt: Number(entry.toString("latin1", 0, at)), meta: Buffer.from(entry.subarray(at + 1)) };
}

function isSame(a: DeviceEntry, b: DeviceEntry): boolean {
  return a.joinedAt === b.joinedAt && a.meta.equals(b.meta);
}

/** `<epoch> <version> <due ms>`, a new line, then for each `+<session><entry>` or `-<session>`, each text with its length and a colon before it. Undefined for what no room has sent. */
export function roomMessage(payload: Buffer): RoomMessage | undefined {
  const head = payload.indexOf(NEW_LINE);
  const [epoch, version, dueMs] = payload.toString("latin1", 0, head).split(" ");
  const items: { session: Buffer; entry: Buffer | undefined }[] = [];
  let at = head + 1;
  const text = (): Buffer => {
    const colon = payload.indexOf(COLON, at);
    const length = colon < 0 ? Number.NaN : Number(payload.toString("latin1", at, colon));
    // Past the end where it is none.
    at = Number.isSafeInteger(length) ? colon + 1 + length : Infinity;
    return payload.subarray(colon + 1, at);
  };
  while (at < payload.length) {
    const isPresent = payload[at] === PLUS;
    at += 1;
    items.push({ session: text(), entry: isPresent ? text() : undefined });
  }
  if (head < 0 || at !== payload.length) return undefined;
  return { epoch: Number(epoch), version: Number(version), dueMs: Number(dueMs), items };
}
