/** What callers may name things by: ids, keys, tags. */
import { InvalidArgumentError } from "../base/errors.ts";

const MAX_NAME = 200;

export function checkName(field: string, name: unknown): string {
  if (typeof name === "string" && name.length > 0 && name.length <= MAX_NAME && !/\p{Surrogate}/u.test(name))
    return name;
  throw new InvalidArgumentError(field, `a non-empty, well-formed string of at most ${MAX_NAME} characters`, name);
}
