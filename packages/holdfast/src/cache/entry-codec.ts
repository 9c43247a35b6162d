/** What a cache stores: a value, or the remembered "there is none", which no schema is asked about. */
import type { Codec } from "../core/codec/codec.ts";
import { holdsUndefined } from "../core/codec/header.ts";
import type { Core } from "../core/core.ts";
import type { CacheOptions } from "./options.ts";

export function entryCodec<V>(core: Core, options: CacheOptions<V>): Codec<V | undefined> {
  const { schema, ...unchecked } = options;
  const any = core.codec<V | undefined>(unchecked);
  if (schema === undefined) return any;
  const checked = core.codec<V>(options);
  return {
    name: checked.name,
    encode: (value, context) => (value === undefined ? any.encode(value, context) : checked.encode(value, context)),
    decode: (bytes, context) => (holdsUndefined(bytes) ? any.decode(bytes, context) : checked.decode(bytes, context)),
  };
}
