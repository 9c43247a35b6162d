/** Merging of reads of whole string keys: a lane's group becomes one MGET, a read that is alone a GET. */
import type { Call, Driver, Reply } from "../../driver/port.ts";
import type { HoldfastError } from "../../base/errors.ts";
import type { Id } from "../keyspace/keyspace.ts";
import type { BatchKind, Pending } from "./lane.ts";

export interface KeyRead {
  readonly key: string;
  /** The user's name for it; for error messages. */
  readonly id: Id;
}

/** One MGET of this many keys holds the server for about 100 microseconds. */
const MAX_KEYS = 512;

/**
 * The kind of operation that reads `item.key`. A key of another type reads as none, alone as in a group.
 * @param conclude turns the reply, or what failed, into the caller's answer; what it throws is the item's rejection
 */
export function readKind<Item extends KeyRead, Output>(
  driver: Driver,
  call: Call,
  conclude: (outcome: Reply | HoldfastError, item: Item) => Output | Promise<Output>,
): BatchKind<Item, Output> {
  const settle = (pending: Pending<Item, Output>, outcome: Reply | HoldfastError): void => {
    try {
      pending.resolve(conclude(outcome, pending.item));
    } catch (error) {
      pending.reject(error);
    }
  };
  const one = (pending: Pending<Item, Output>): void => {
    const { key, id } = pending.item;
    const { op, class: opClass, timeoutMs, patienceMs } = call;
    const named = { op, class: opClass, key: String(id), timeoutMs, patienceMs };
    driver.send(["GET", key], named, key).then(
      (reply) => settle(pending, reply),
      (error: HoldfastError) => settle(pending, error.code === "WRONG_TYPE" ? null : error),
    );
  };
  const many = (group: readonly Pending<Item, Output>[]): void => {
    const args = ["MGET"];
    for (const { item } of group) args.push(item.key);
    driver.send(args, call, args[1]).then(
      (reply) => group.forEach((pending, at) => settle(pending, Array.isArray(reply) ? (reply[at] ?? null) : reply)),
      (error: HoldfastError) => group.forEach((pending) => settle(pending, error)),
    );
  };
  return { maxItems: MAX_KEYS, run: (group) => (group.length === 1 ? one(group[0]!) : many(group)) };
}
