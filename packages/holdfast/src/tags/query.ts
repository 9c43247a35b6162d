/** Tags and queries as users give them: checked, without duplicates, in the form that the scripts take. */
import { InvalidArgumentError } from "../base/errors.ts";
import { checkId } from "../core/keyspace/keyspace.ts";
import { wholeBetween } from "../base/options.ts";

export interface TagQuery {
  /** Items with at least one of these tags. Here or in `all` there must be one tag. @default none */
  readonly any?: Iterable<string>;
  /** Items with every one of these tags. @default none */
  readonly all?: Iterable<string>;
  /** Items with none of these tags. @default none */
  readonly not?: Iterable<string>;
}

export interface TagPageOptions {
  /** Items to give at most, 1 to 1000. @default 100 */
  readonly limit?: number;
  /** The `cursor` of the page before. @default the beginning */
  readonly cursor?: string;
}

/** What `find.lua` takes. */
export interface Search {
  readonly cursor: string;
  readonly limit: number;
  readonly required: number;
  readonly optional: number;
  readonly tags: readonly string[];
}

/** Tags of one item, so that one change of it is a matter of microseconds. */
export const MAX_TAGS = 128;
const MAX_QUERY_TAGS = 32;
const MAX_LIMIT = 1_000;
/** Between tags, and between a tag and an item, in what is stored. */
const SEPARATOR = "\0";

export function checkTag(field: string, tag: string): string {
  if (typeof tag === "string" && !tag.includes(SEPARATOR)) return checkId(field, tag);
  throw new InvalidArgumentError(field, "a string without the character U+0000", tag);
}

export function checkTags(field: string, tags: Iterable<string>, max: number): string[] {
  if (typeof tags === "string") throw new InvalidArgumentError(field, "a list of tags", tags);
  const checked = [...new Set(tags)].map((tag) => checkTag(field, tag));
  if (checked.length <= max) return checked;
  throw new InvalidArgumentError(field, `at most ${max} tags`, checked.length);
}

export function pack(tags: readonly string[]): string {
  return tags.join(SEPARATOR);
}

export function unpack(packed: string): string[] {
  return packed === "" ? [] : packed.split(SEPARATOR).sort();
}

export function searchOf(query: TagQuery & TagPageOptions): Search {
  const all = checkTags("all", query.all ?? [], MAX_QUERY_TAGS);
  const any = checkTags("any", query.any ?? [], MAX_QUERY_TAGS);
  const not = checkTags("not", query.not ?? [], MAX_QUERY_TAGS);
  const tags = [...all, ...any, ...not];
  if (all.length + any.length === 0)
    throw new InvalidArgumentError("all", "a tag here or in `any`: `not` alone would visit everything", query.all);
  if (tags.length > MAX_QUERY_TAGS)
    throw new InvalidArgumentError("all", `at most ${MAX_QUERY_TAGS} tags in one query`, tags.length);
  return {
    cursor: query.cursor === undefined ? "" : checkId("cursor", query.cursor),
    limit: wholeBetween("limit", query.limit ?? 100, 1, MAX_LIMIT),
    required: all.length,
    optional: any.length,
    tags,
  };
}
