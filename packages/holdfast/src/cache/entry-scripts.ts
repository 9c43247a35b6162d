/** The scripts about one entry of a cache, as operations that are merged: those of the same tick and slot share a command. */
import type { BatchKind } from "../core/batch/lane.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import { type BatchItem, MAX_BATCH_ITEMS, MAX_MERGED_BYTES } from "../core/script/run.ts";
import type { BatchScript } from "../core/script/script.ts";
import type { Arg, Driver } from "../driver/port.ts";
import type { CacheSettings } from "./options.ts";
import * as scripts from "./scripts.gen.ts";

export const OP_LOAD = "cache.getOrSet";

interface Pair {
  readonly value: string;
  readonly lease: string;
  readonly ids: string;
  readonly ends: string;
}

export type EntryScript<Args, Result> = BatchKind<BatchItem<Pair, Args>, Result>;

export interface EntryScripts {
  readonly lookup: EntryScript<scripts.LookupArgs, scripts.LookupResult>;
  readonly extend: EntryScript<scripts.ExtendArgs, scripts.ExtendResult>;
  readonly abandon: EntryScript<scripts.AbandonArgs, scripts.AbandonResult>;
  readonly fill: EntryScript<scripts.FillArgs, scripts.FillResult>;
  readonly set: EntryScript<scripts.SetArgs, scripts.SetResult>;
  readonly renew: EntryScript<scripts.RenewArgs, scripts.RenewResult>;
  readonly restamp: EntryScript<scripts.RestampArgs, scripts.RestampResult>;
  readonly expire: EntryScript<scripts.ExpireArgs, scripts.ExpireResult>;
  readonly take: EntryScript<scripts.TakeArgs, scripts.TakeResult>;
  readonly touch: EntryScript<scripts.TouchArgs, scripts.TouchResult>;
  readonly remove: EntryScript<scripts.RemoveArgs, scripts.RemoveResult>;
  /** Of invalidations that have failed before (recovery.ts). */
  readonly removeAgain: EntryScript<scripts.RemoveArgs, scripts.RemoveResult>;
  readonly expireAgain: EntryScript<scripts.ExpireArgs, scripts.ExpireResult>;
}

/** What can go on without the server does not wait for one that has been silent: see `Call.patienceMs`. */
export function entryScripts(driver: Driver, { timeoutMs, onOutage }: CacheSettings): EntryScripts {
  const loadPatienceMs = onOutage === "load" ? timeoutMs : undefined;
  const kind = <Args, Result>(
    op: string,
    script: BatchScript<Pair, Args, Result>,
    patienceMs = op === OP_LOAD ? loadPatienceMs : undefined,
  ): EntryScript<Args, Result> => scriptKind(driver, script, { op, timeoutMs, patienceMs }, orThrow);
  return {
    lookup: kind(OP_LOAD, scripts.lookup),
    extend: kind(OP_LOAD, scripts.extend),
    abandon: kind(OP_LOAD, scripts.abandon),
    fill: { ...kind(OP_LOAD, scripts.fill), weigh },
    set: { ...kind("cache.set", scripts.set), weigh },
    renew: kind(OP_LOAD, scripts.renew),
    restamp: kind("cache.set", scripts.restamp),
    expire: kind("cache.expire", scripts.expire),
    take: kind("cache.take", scripts.take),
    touch: kind("cache.touch", scripts.touch),
    remove: kind("cache.delete", scripts.remove),
    removeAgain: kind("cache.delete", scripts.remove, timeoutMs),
    expireAgain: kind("cache.expire", scripts.expire, timeoutMs),
  };
}

function weigh<Args extends { readonly payload: Arg }>({ args }: BatchItem<Pair, Args>): number {
  return args.payload.length > MAX_MERGED_BYTES ? MAX_BATCH_ITEMS : 1;
}
