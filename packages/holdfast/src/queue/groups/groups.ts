/** Groups of a queue's jobs, such as tenants: their shares, limits and pauses. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { givenOptions, type OptionNames, wholeBetween } from "../../base/options.ts";
import type { Operations } from "../../core/observe/observe.ts";
import { checkGroup } from "../add-options.ts";
import type { Partitions } from "../partitions.ts";
import { decodeGroup, encodeGroup, type QueueGroupOptions } from "./options.ts";

export interface QueueGroupInfo {
  readonly group: string;
  readonly waiting: number;
  readonly running: number;
  /** By `pause`. */
  readonly paused: boolean;
  /** Milliseconds since 1970 until which none of its jobs is started, where a handler asked for that (`Limited`) or its rate is used up. */
  readonly blockedUntil: number | undefined;
  /** In strict order: the id of the dead job that the others wait for. */
  readonly deadHead: string | undefined;
  /** Its own; undefined where those of `"*"` are in force. */
  readonly limits: QueueGroupOptions | undefined;
}

export interface QueueGroupsPageOptions {
  /** Of the page before. @default the first */
  readonly cursor?: string;
  /** @default 100 */
  readonly limit?: number;
}

export interface QueueGroupsPage {
  readonly groups: readonly QueueGroupInfo[];
  /** Undefined on the last page. */
  readonly cursor: string | undefined;
}

const PAGE_OPTIONS: OptionNames<QueueGroupsPageOptions> = { cursor: true, limit: true };
const MAX_PAGE = 500;
/** Stands for all groups without limits of their own. */
const ALL = "*";

/**
 * @example
 * await emails.groups.set("*", { concurrency: 5 });
 * await emails.groups.set("acme", { weight: 3, rate: { limit: 10, per: "1s" } });
 * await emails.add(mail, { group: "acme" });
 */
export class QueueGroups {
  readonly #operations: Operations;
  readonly #partitions: Partitions;

  constructor(operations: Operations, partitions: Partitions) {
    this.#operations = operations;
    this.#partitions = partitions;
  }

  /**
   * Replaces a group's limits; those of `"*"` are in force for groups without their own. A change counts from the next claim on. Idempotent.
   * Cost: a script; with `"*"` one more per 200 groups that have jobs.
   */
  set(group: string, limits: QueueGroupOptions): Promise<void> {
    return this.#operations.run("groups.set", group, () => this.#set(group, encodeGroup(limits)));
  }

  /** Takes a group's own limits off; those of `"*"` are in force then. Its jobs stay. Idempotent. Cost: as `set`. */
  remove(group: string): Promise<void> {
    return this.#operations.run("groups.remove", group, () => this.#set(group, ""));
  }

  /** Returns a group's own limits, or undefined. Cost: HGET. */
  get(group: string): Promise<QueueGroupOptions | undefined> {
    return this.#operations.run("groups.get", group, async () => {
      const { groups } = group === ALL ? this.#partitions.first : this.#partitions.hashed(checkGroup(group));
      const text = await groups.textOf(group);
      return text === undefined ? undefined : decodeGroup(text);
    });
  }

  /** No job of the group is claimed any more, until `resume`; those that run go on. Idempotent. Cost: a script. */
  pause(group: string): Promise<void> {
    return this.#operations.run("groups.pause", group, () =>
      this.#partitions.hashed(checkGroup(group)).groups.pause(group),
    );
  }

  /** Ends a pause of the group, also one that a handler asked for (`Limited`). Idempotent. Cost: a script. */
  resume(group: string): Promise<void> {
    return this.#operations.run("groups.resume", group, () =>
      this.#partitions.hashed(checkGroup(group)).groups.resume(group),
    );
  }

  /** Returns groups that have jobs, limits or a pause, by name; partition after partition. Cost: a script, linear in the page. */
  page(options?: QueueGroupsPageOptions): Promise<QueueGroupsPage> {
    return this.#operations.run("groups.page", undefined, async () => {
      const { cursor = "0.", limit = 100 } = givenOptions(options, PAGE_OPTIONS);
      const [index, name] = placeOf(cursor, this.#partitions.all.length);
      const count = wholeBetween("limit", limit, 1, MAX_PAGE);
      const rows = await this.#partitions.all[index]!.groups.page(name, count);
      const isLast = index === this.#partitions.all.length - 1;
      const next = rows.length === count ? `${index}.${rows.at(-1)!.group}` : isLast ? undefined : `${index + 1}.`;
      return { groups: rows.map(infoOf), cursor: next };
    });
  }

  async #set(group: string, text: string): Promise<void> {
    if (group !== ALL) return this.#partitions.hashed(checkGroup(group)).groups.set(group, text);
    await Promise.all(
      this.#partitions.all.map(async ({ groups }) => {
        await groups.set(ALL, text);
        await groups.lookAtAll();
      }),
    );
  }
}

interface Row {
  readonly group: string;
  readonly waiting: number;
  readonly running: number;
  readonly limits: string;
  readonly haltedMs: string;
  readonly laterMs: string;
  readonly dead: string;
}

function infoOf({ group, waiting, running, limits, haltedMs, laterMs, dead }: Row): QueueGroupInfo {
  const paused = haltedMs === "inf";
  const untilMs = Math.max(paused ? 0 : Number(haltedMs), Number(laterMs));
  return {
    group,
    waiting,
    running,
    paused,
    blockedUntil: untilMs === 0 ? undefined : untilMs,
    deadHead: dead === "" ? undefined : dead,
    limits: limits === "" ? undefined : decodeGroup(limits),
  };
}

/** A partition's index, and the name of a group in it. */
function placeOf(cursor: unknown, partitions: number): [number, string] {
  const [, partition = "", name = ""] = (typeof cursor === "string" && /^(\d{1,4})\.(.*)$/s.exec(cursor)) || [];
  if (partition !== "" && Number(partition) < partitions) return [Number(partition), name];
  throw new InvalidArgumentError("cursor", "the cursor of a page", cursor);
}
