/** Rows as pg returns them: bytes come back from the codec as `Uint8Array`. */

export function withBuffers(rows: unknown): unknown {
  // Frozen rows are from memory, and hold no bytes.
  if (!Array.isArray(rows) || Object.isFrozen(rows)) return rows;
  for (const row of rows as Record<string, unknown>[]) {
    for (const column in row) {
      const value = row[column];
      if (typeof value === "object" && value !== null) row[column] = withBuffer(value);
    }
  }
  return rows;
}

/** Of a `bytea`, or of an array of them. */
function withBuffer(value: object): object {
  if (value instanceof Uint8Array) return asBuffer(value);
  return Array.isArray(value) && value.some((each) => each instanceof Uint8Array)
    ? value.map((each: unknown) => (each instanceof Uint8Array ? asBuffer(each) : each))
    : value;
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
