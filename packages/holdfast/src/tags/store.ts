/** The server's side of a tag index: its four keys, which calls share a command, and what the replies mean. */
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { listKind } from "../core/batch/list-kind.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { Driver, Reply } from "../driver/port.ts";
import type { GroupKeys } from "../core/keyspace/keyspace.ts";
import { decodeList, decodeRows, decodeText } from "../core/script/decode.ts";
import { type BatchItem, decodedBy, runScript, type UnclassedCall } from "../core/script/run.ts";
import {
  change,
  type ChangeArgs,
  type ChangeKeys,
  type ChangeResult,
  count,
  find,
  type FindResult,
  of,
} from "./scripts.gen.ts";
import type { TagsSettings } from "./options.ts";
import { MAX_TAGS, pack, type Search } from "./query.ts";

interface Change extends BatchItem<ChangeKeys, ChangeArgs> {
  /** How many. */
  readonly tags: number;
}

type IndexKeys = Record<keyof ChangeKeys, string>;

/** Tags in the changes of one script, and each change counts as some more: about 1 ms of the server's time. */
const MAX_CHANGED_TAGS = 160;
const TAGS_PER_CHANGE = 4;
const MAX_READS = 256;
/** A hint to the server: names in one step of a scan. */
const SCAN_COUNT = "512";
/** Among the tags' counts, the number of items that expire. */
const EXPIRING = "\0";
/** An index lives in one slot. */
const LANE = 0;

export class TagStore {
  readonly #name: string;
  readonly #driver: Driver;
  readonly #settings: TagsSettings;
  readonly #keys: IndexKeys;
  readonly #lane = new Lane();
  readonly #changes: BatchKind<Change, ChangeResult>;
  readonly #reads: BatchKind<string, string | null>;
  readonly #counts: BatchKind<string, number>;

  constructor(driver: Driver, keys: GroupKeys, name: string, settings: TagsSettings) {
    this.#name = name;
    this.#driver = driver;
    this.#settings = settings;
    this.#keys = keysOf(keys);
    const changes = scriptKind<ChangeKeys, ChangeArgs, ChangeResult, Change, ChangeResult>(
      this.#driver,
      change,
      this.#call("change"),
      orThrow,
    );
    this.#changes = { ...changes, maxItems: MAX_CHANGED_TAGS, weigh: ({ tags }) => TAGS_PER_CHANGE + tags };
    this.#reads = listKind(MAX_READS, (wanted) => this.#readTags(wanted));
    this.#counts = listKind(MAX_READS, (tags) => this.#readCounts(tags));
  }

  change(item: string, how: "add" | "set" | "remove", tags: readonly string[], ttlMs: number): Promise<ChangeResult> {
    const { maxItems } = this.#settings;
    const args = { item, how, packed: pack(tags), ttlMs, maxItems, maxTags: MAX_TAGS };
    return this.#lane.add(this.#changes, LANE, { keys: this.#keys, args, key: item, tags: tags.length });
  }

  /** The packed tags of an item. */
  of(item: string): Promise<string | null> {
    return this.#lane.add(this.#reads, LANE, item);
  }

  count(tag: string): Promise<number> {
    return this.#lane.add(this.#counts, LANE, tag);
  }

  find(search: Search): Promise<FindResult> {
    this.#lane.flush(LANE);
    return runScript(this.#driver, find, this.#keys, search, this.#call("find"));
  }

  /** Yields the names of all tags in bounded steps; one may come twice. */
  async *tagNames(): AsyncGenerator<string[]> {
    let cursor = "0";
    do {
      this.#lane.flush(LANE);
      const { counts } = this.#keys;
      const args = ["HSCAN", counts, cursor, "COUNT", SCAN_COUNT];
      const call = { ...this.#call("counts"), class: "read" } as const;
      const page = decodedBy(decodeScan, await this.#driver.send(args, call, counts), "HSCAN", call);
      cursor = page.cursor;
      yield page.names;
    } while (cursor !== "0");
  }

  async clear(): Promise<void> {
    this.#lane.flush(LANE);
    const { items, links, counts, expiry } = this.#keys;
    const call = { ...this.#call("clear"), class: "idempotent" } as const;
    await this.#driver.send(["UNLINK", items, links, counts, expiry], call, items);
  }

  #readTags(wanted: readonly string[]): Promise<(string | null)[]> {
    return runScript(this.#driver, of, this.#keys, { wanted }, this.#call("of"));
  }

  #readCounts(tags: readonly string[]): Promise<number[]> {
    return runScript(this.#driver, count, this.#keys, { tags }, this.#call("count"));
  }

  #call(operation: string): UnclassedCall {
    return { op: `tags.${operation}`, key: this.#name, timeoutMs: this.#settings.timeoutMs };
  }
}

function keysOf(group: GroupKeys): IndexKeys {
  return {
    items: group.part("items"),
    links: group.part("links"),
    counts: group.part("counts"),
    expiry: group.part("expiry"),
  };
}

/** The cursor and the names of a page of HSCAN, whose values are not looked at. */
function decodeScan(reply: Reply): { cursor: string; names: string[] } {
  const [cursor, flat] = decodeList(reply, (part) => part);
  const names = decodeRows(flat, 2, (row, at) => decodeText(row[at]));
  return { cursor: decodeText(cursor), names: names.filter((name) => name !== EXPIRING) };
}
