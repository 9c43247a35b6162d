/** Objects that are stored field by field, each field a value of its own. */
import { CodecError } from "../../base/errors.ts";

/** The error of one field, which says which one; any other is returned as it is. */
export function inField(name: string, error: unknown): unknown {
  if (!(error instanceof CodecError)) return error;
  const { reason, message, op, key, cause } = error;
  return new CodecError(reason, `field ${JSON.stringify(name)}: ${message}`, { op, key, cause });
}
