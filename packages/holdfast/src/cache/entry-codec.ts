import type { Codec } from "../core/codec/codec.ts";
import { holdsUndefined } from "../core/codec/header.ts";
import type { Core } from "../core/core.ts";
import type { CacheOptions } from "./options.ts";

/** For a value, or for the remembered "there is none", which no schema is asked about. */
export function entryCodec<V>(core: Core, options: CacheOptions<V>): Codec<unknown> {
  const { schema, ...unchecked } = options;
  const any = core.codec<unknown>(unchecked);
  if (schema === undefined) return any;
  const checked = core.codec<V>(options);
  return {
    name: checked.name,
    encode: (value, context) =>
      value === undefined ? any.encode(value, context) : checked.encode(value as V, context),
    decode: (bytes, context) => (holdsUndefined(bytes) ? any.decode(bytes, context) : checked.decode(bytes, context)),
  };
}
