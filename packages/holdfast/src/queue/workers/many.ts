/** What workers with a handler for many jobs are given. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { toTimerMs, wholeBetween } from "../../base/options.ts";
import { MAX_CONCURRENCY, type QueueWorkManyOptions, type WorkSettings, workSettings } from "../work-options.ts";
import type { ManySettings, QueueManyHandler } from "./gatherings.ts";

const MAX_SIZE = 1_000;

export function workManySettings({
  size = 100,
  linger = 10,
  concurrency = 1,
  oneGroup = false,
  ...rest
}: QueueWorkManyOptions): { readonly work: WorkSettings; readonly many: ManySettings } {
  wholeBetween("size", size, 1, MAX_SIZE);
  wholeBetween("concurrency", concurrency, 1, Math.floor(MAX_CONCURRENCY / size));
  if (typeof oneGroup !== "boolean") throw new InvalidArgumentError("oneGroup", "a boolean", oneGroup);
  return {
    work: workSettings({ ...rest, concurrency: concurrency * size }),
    many: { size, lingerMs: toTimerMs("linger", linger, 0), calls: concurrency, oneGroup },
  };
}

export function checkManyHandler(handler: unknown): QueueManyHandler<never> {
  if (typeof handler === "function") return handler as QueueManyHandler<never>;
  throw new InvalidArgumentError("handler", "a function that is given an array of jobs", handler);
}
