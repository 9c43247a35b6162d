/** The parts of DER (X.690) that certificates and their containers are made of. */

/** Tag, length, content. Lengths of 128 and more are written with the number of their bytes before them. */
export function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}

export function sequence(...items: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items));
}

export function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

export function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

export function bitString(bytes: Buffer, unusedBits = 0): Buffer {
  return der(0x03, Buffer.concat([Buffer.of(unusedBits), bytes]));
}

export function octets(bytes: Buffer): Buffer {
  return der(0x04, bytes);
}
