/** What the methods of records are given, refused by its name. */
import { InvalidArgumentError } from "../base/errors.ts";
import { checkNames, type RecordFormat } from "./format.ts";
import type { RecordSettings } from "./options.ts";
import { ANY_VERSION } from "./store.ts";

/** Entries and claims are in the clear. */
export function checkOpen<T extends object>(format: RecordFormat<T>, { unique, index }: RecordSettings): void {
  if (format.numbersAreOpen || unique.length + index.length === 0) return;
  const field = unique.length > 0 ? "unique" : "index";
  throw new InvalidArgumentError(field, "no `encrypt`: what finds a record is in the clear", field);
}

export function checkFields(fields: readonly string[] | undefined): readonly string[] | undefined {
  if (fields === undefined) return undefined;
  if (!Array.isArray(fields) || fields.length === 0)
    throw new InvalidArgumentError("fields", "an array with names of fields", fields);
  checkNames("fields", fields);
  return fields;
}

export function checkVersion(version: number | undefined, min: 0 | 1): number {
  if (version === undefined) return ANY_VERSION;
  if (Number.isSafeInteger(version) && version >= min) return version;
  throw new InvalidArgumentError("version", "the version of a record that was read", version);
}
