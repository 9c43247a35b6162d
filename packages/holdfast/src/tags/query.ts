/** Tags and queries from users: checked, without duplicates, in the form that the scripts take. */
import { InvalidArgumentError } from "../base/errors.ts";
import { checkId } from "../core/keyspace/keyspace.ts";
import { givenOptions, listOf, type OptionNames, wholeBetween } from "../base/options.ts";

export interface TagsQuery {
  /** Items with at least one of these tags. Here or in `all` there must be one tag. @default none */
  readonly any?: Iterable<string>;
  /** Items with every one of these tags. @default none */
  readonly all?: Iterable<string>;
  /** Items with none of these tags. @default none */
  readonly not?: Iterable<string>;
}

export interface TagsPageOptions {
  /** Items to return at most, 1 to 1000. @default 100 */
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

const QUERY_NAMES: OptionNames<TagsQuery & TagsPageOptions> = {
  any: true,
  all: true,
  not: true,
  limit: true,
  cursor: true,
};
/** Tags of one item, so that one change of it takes the server microseconds. */
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
  const checked = [...new Set(listOf(field, tags, "tags"))].map((tag) => checkTag(field, tag));
  if (checked.length <= max) return checked;
  throw new InvalidArgumentError(field, `at most ${max} tags`, checked.length);
}

export function pack(tags: readonly string[]): string {
  return tags.join(SEPARATOR);
}

export function unpack(packed: string): string[] {
  return packed === "" ? [] : packed.split(SEPARATOR).sort();
}

export function searchOf(query: TagsQuery & TagsPageOptions): Search {
  const given = givenOptions(query, QUERY_NAMES);
  const all = checkTags("all", given.all ?? [], MAX_QUERY_TAGS);
  const any = checkTags("any", given.any ?? [], MAX_QUERY_TAGS);
  const not = checkTags("not", given.not ?? [], MAX_QUERY_TAGS);
  const tags = [...all, ...any, ...not];
  if (all.length + any.length === 0)
    throw new InvalidArgumentError("all", "a tag here or in `any`: `not` alone would visit everything", given.all);
  if (tags.length > MAX_QUERY_TAGS)
    throw new InvalidArgumentError("all", `at most ${MAX_QUERY_TAGS} tags in one query`, tags.length);
  return {
    cursor: given.cursor === undefined ? "" : checkId("cursor", given.cursor),
    limit: wholeBetween("limit", given.limit ?? 100, 1, MAX_LIMIT),
    required: all.length,
    optional: any.length,
    tags,
  };
}
