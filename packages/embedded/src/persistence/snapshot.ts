/**
 * All keys and functions of a server as bytes: lines of JSON, each character one byte (latin1), so that binary strings are exact.
 *
 *     {"format":"holdfast-embedded-snapshot","version":1,"libraries":[source of each library of functions]}
 *     [database, key, expiry in milliseconds since the epoch or null, type, value]      one per key
 *     {"keys":number of keys,"crc32":checksum of all the lines before}
 */
import { crc32 } from "node:zlib";
import type { Database, Entry } from "../engine/database.ts";
import type { Engine } from "../engine/engine.ts";
import { type TypeName, typeOf } from "../values/value.ts";
import { fromJson, text, toJson, type ValueJson } from "./values.ts";

export class SnapshotError extends Error {
  override readonly name: string = "SnapshotError";
}

const FORMAT = "holdfast-embedded-snapshot";
const VERSION = 1;
/** Characters joined before they become bytes: no JavaScript string can hold a large data set. */
const CHUNK = 1 << 20;
const NEWLINE = 0x0a;

type Line = readonly [database: number, key: string, expiresAtMs: number | null, type: TypeName, value: ValueJson];

/** The keys of all databases and the libraries of functions at this moment. */
export function takeSnapshot(engine: Engine): Buffer {
  const chunks: Buffer[] = [];
  const libraries = engine.functions.libraries.map(({ source }) => source);
  let chunk = `${JSON.stringify({ format: FORMAT, version: VERSION, libraries } satisfies Head)}\n`;
  let keys = 0;
  for (const db of engine.databases) {
    for (const entry of db.all()) {
      chunk += `${JSON.stringify(lineOf(db, entry))}\n`;
      keys += 1;
      if (chunk.length < CHUNK) continue;
      chunks.push(Buffer.from(chunk, "latin1"));
      chunk = "";
    }
  }
  chunks.push(Buffer.from(chunk, "latin1"));
  const checksum = chunks.reduce((sum, bytes) => crc32(bytes, sum), 0);
  chunks.push(Buffer.from(`${JSON.stringify({ keys, crc32: checksum } satisfies Tail)}\n`));
  return Buffer.concat(chunks);
}

function lineOf(db: Database, { key, value, expiresAtMs }: Entry): Line {
  const type = typeOf(value);
  const json = toJson(value);
  if (json === undefined) throw new SnapshotError(`a snapshot cannot hold the ${type} at ${JSON.stringify(key)}`);
  return [db.index, key, expiresAtMs === Infinity ? null : expiresAtMs, type, json];
}

/**
 * Replaces all keys and functions by those of a snapshot; what has expired since is left out. Throws SnapshotError and changes
 * nothing where the bytes are not a whole snapshot of a version that is known.
 */
export function loadSnapshot(engine: Engine, bytes: Buffer): void {
  const { libraries, lines } = parse(bytes);
  const values = lines.map((line, at) => checked(engine, line, at));
  replaceFunctions(engine, libraries);
  engine.outsideCommand(() => {
    for (const db of engine.databases) db.clear();
    for (const { db, key, expiresAtMs, value } of values) {
      if (expiresAtMs < engine.nowMs) continue;
      db.set(key, value);
      const entry = db.peek(key);
      if (entry !== undefined && expiresAtMs !== Infinity) db.setDeadline(entry, expiresAtMs);
    }
    engine.tracking.flushed();
  });
}

function checked(
  engine: Engine,
  line: Line,
  at: number,
): { db: Database } & Pick<Entry, "key" | "value" | "expiresAtMs"> {
  try {
    const [index, key, expiresAtMs, type, json] = line;
    const db = engine.databases[index];
    if (db === undefined) throw new TypeError("not a key of a database");
    if (expiresAtMs !== null && !Number.isFinite(expiresAtMs)) throw new TypeError("not a time");
    return { db, key: text(key), expiresAtMs: expiresAtMs ?? Infinity, value: fromJson(type, json, engine.config) };
  } catch (error) {
    throw new SnapshotError(`line ${at + 2} is damaged: ${String(error)}`, { cause: error });
  }
}

function replaceFunctions(engine: Engine, libraries: readonly string[]): void {
  try {
    engine.functions.replaceAll(libraries);
  } catch (error) {
    throw new SnapshotError(`its functions cannot be loaded: ${String(error)}`, { cause: error });
  }
}

/** What the first line says, and the lines between it and the last. */
function parse(bytes: Buffer): { readonly libraries: readonly string[]; readonly lines: readonly Line[] } {
  const lines: unknown[] = [];
  let lastLine = 0;
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1) throw new SnapshotError("it is cut off");
    lines.push(parseLine(bytes.toString("latin1", start, end), lines.length));
    lastLine = start;
    start = end + 1;
  }
  const [head, tail] = [lines.shift(), lines.pop()] as [
    Partial<Head> | undefined | null,
    Partial<Tail> | undefined | null,
  ];
  if (head?.format !== FORMAT) throw new SnapshotError("it is not a snapshot of an embedded server");
  if (head.version !== VERSION) {
    throw new SnapshotError(`it has version ${String(head.version)}, and this server knows version ${VERSION} only`);
  }
  if (tail?.keys !== lines.length) throw new SnapshotError("it is cut off");
  if (tail.crc32 !== undefined && tail.crc32 !== crc32(bytes.subarray(0, lastLine))) {
    throw new SnapshotError("it is damaged: its checksum is another");
  }
  const { libraries = [] } = head;
  if (!Array.isArray(libraries) || !libraries.every((source) => typeof source === "string")) {
    throw new SnapshotError("its functions are damaged");
  }
  return { libraries, lines: lines as Line[] };
}

interface Head {
  readonly format: string;
  readonly version: number;
  /** Older files have none. */
  readonly libraries: readonly string[];
}

interface Tail {
  readonly keys: number;
  /** Older files have none. */
  readonly crc32: number;
}

function parseLine(line: string, at: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    const what = at === 0 ? "it is not a snapshot of an embedded server" : `line ${at + 1} is damaged`;
    throw new SnapshotError(what, { cause: error });
  }
}
