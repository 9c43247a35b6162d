/** What is stored with members: their values as bytes. */
import { InvalidArgumentError } from "../base/errors.ts";
import type { Codec } from "../core/codec/codec.ts";

export class Metas<Meta> {
  readonly #codec: Codec<Meta>;
  readonly #maxBytes: number;
  /** What encrypted values are bound to, besides the member. */
  readonly #place: string;

  constructor(codec: Codec<Meta>, maxBytes: number, place: string) {
    this.#codec = codec;
    this.#maxBytes = maxBytes;
    this.#place = place;
  }

  encode(member: string, meta: Meta): Buffer {
    const bytes = this.#codec.encode(meta, { aad: this.#aad(member) });
    if (bytes.length <= this.#maxBytes) return bytes;
    throw new InvalidArgumentError("meta", `at most ${this.#maxBytes} bytes when encoded (see maxMetaBytes)`, meta);
  }

  decode(member: string, bytes: Buffer): Meta {
    return this.#codec.decode(bytes, { aad: this.#aad(member) });
  }

  #aad(member: string): string {
    return `${this.#place}:${member}`;
  }
}
