/** The tags of a response, by which it can be purged: `Cache-Tag` (between commas) and `Surrogate-Key` (between spaces). */
import { field, type Fields } from "./headers.ts";

const MAX_TAGS = 100;
const MAX_LENGTH = 256;

/** Undefined where there are more, or longer ones, than a cache takes: then the response is not stored, as no purge would find it. */
export function tagsOf(fields: Fields): string[] | undefined {
  const tags = [
    ...(field(fields, "cache-tag") ?? "").split(",").map((tag) => tag.trim()),
    ...(field(fields, "surrogate-key") ?? "").split(/[\s,]+/),
  ];
  const given = [...new Set(tags.filter(Boolean))];
  const fits = given.length <= MAX_TAGS && given.every((tag) => tag.length <= MAX_LENGTH && tag.isWellFormed());
  return fits ? given : undefined;
}
