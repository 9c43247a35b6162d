/** The scripts about one entry of a cache, as operations that are merged: those of the same tick and slot share a command. */
import type { BatchKind } from "../core/batch/lane.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import { type BatchItem, MAX_BATCH_ITEMS, MAX_MERGED_BYTES } from "../core/script/run.ts";
import type { BatchScript } from "../core/script/script.ts";
import type { Arg, Driver } from "../driver/port.ts";
import { abandon, expire, extend, fill, lookup, remove, renew, restamp, set, take, touch } from "./scripts.gen.ts";

export const OP_LOAD = "cache.getOrSet";

interface Pair {
  readonly value: string;
  readonly lease: string;
}

export type EntryScript<Args, Result> = BatchKind<BatchItem<Pair, Args>, Result>;

export function entryScripts(driver: Driver, timeoutMs: number) {
  const kind = <Args, Result>(op: string, script: BatchScript<Pair, Args, Result>): EntryScript<Args, Result> =>
    scriptKind(driver, script, { op, timeoutMs }, orThrow);
  return {
    lookup: kind(OP_LOAD, lookup),
    extend: kind(OP_LOAD, extend),
    abandon: kind(OP_LOAD, abandon),
    fill: { ...kind(OP_LOAD, fill), weigh },
    set: { ...kind("cache.set", set), weigh },
    renew: kind(OP_LOAD, renew),
    restamp: kind("cache.set", restamp),
    expire: kind("cache.expire", expire),
    take: kind("cache.take", take),
    touch: kind("cache.touch", touch),
    remove: kind("cache.delete", remove),
  };
}

function weigh<Args extends { readonly payload: Arg }>({ args }: BatchItem<Pair, Args>): number {
  return args.payload.length > MAX_MERGED_BYTES ? MAX_BATCH_ITEMS : 1;
}
