/**
 * What is stored of one period of a series.
 *
 * While it is written: 12 bytes a point in the order of arrival, milliseconds since the period's start (4) and the value (8), little-endian.
 * Sealed: version (1), revision (4, rises with each sealing), then as columns count, times and values, packed.
 */
import { CodecError } from "../../base/errors.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { pack, readFloats, readSteps, unpack, writeFloats, writeSteps } from "./columns.ts";
import { noPoints, type Points } from "./points.ts";

export const POINT_BYTES = 12;
const VERSION = 1;
export const SEALED_HEAD_BYTES = 5;

export interface Sealed {
  readonly points: Points;
  readonly revision: number;
}

export function writePoint(out: Buffer, at: number, sinceStart: number, value: number): void {
  out.writeUInt32LE(sinceStart, at);
  out.writeDoubleLE(value, at + 4);
}

export function readOpen(key: string, bytes: Buffer | null, start: number): Points {
  if (bytes === null) return noPoints();
  if (bytes.length % POINT_BYTES !== 0) throw damaged(key);
  const points = noPoints();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += POINT_BYTES) {
    points.times.push(start + view.getUint32(at, true));
    points.values.push(view.getFloat64(at + 4, true));
  }
  return points;
}

export function seal({ times, values }: Points, start: number, revision: number): Buffer {
  const writer = new ByteWriter();
  writer.whole(times.length);
  writeSteps(
    writer,
    times.map((time) => time - start),
  );
  writeFloats(writer, values);
  const head = Buffer.alloc(SEALED_HEAD_BYTES);
  head.writeUInt8(VERSION, 0);
  head.writeUInt32LE(revision, 1);
  return Buffer.concat([head, pack(writer.end())]);
}

export function readSealed(key: string, bytes: Buffer | null, start: number): Sealed {
  if (bytes === null) return { points: noPoints(), revision: 0 };
  try {
    if (bytes[0] !== VERSION) throw new RangeError("an unknown version");
    const reader = new ByteReader(unpack(bytes.subarray(SEALED_HEAD_BYTES)));
    const count = reader.whole();
    // Each point has a byte at least, so that a damaged count takes no memory.
    if (count > reader.left) throw new RangeError("more points than bytes");
    const times = readSteps(reader, count).map((time) => start + time);
    return { points: { times, values: readFloats(reader, count) }, revision: bytes.readUInt32LE(1) };
  } catch (cause) {
    throw damaged(key, cause);
  }
}

export function damaged(key: string, cause?: unknown): CodecError {
  const message = `the chunk ${JSON.stringify(key)} of a series is damaged, or of a newer version`;
  return new CodecError("corrupt", message, { key, cause });
}
