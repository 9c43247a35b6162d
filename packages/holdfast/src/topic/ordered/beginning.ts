/** Where in a partition a subscription begins, or is moved to. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { givenOptions, type OptionNames, timeOf } from "../../base/options.ts";
import { parsePosition } from "../../core/log/position.ts";
import type { TopicSource } from "../source.ts";
import type { TopicSeek, TopicSeekOptions } from "../subscription.ts";
import type { Beginning } from "./store.ts";

/** What is asked for, checked; undefined for a partition that stays where it is. */
export type Destination = (partition: number) => "start" | "end" | Place | undefined;

type Place = { readonly timeMs: number } | { readonly offset: number; readonly epoch: number | undefined };

const SEEK_OPTIONS: OptionNames<TopicSeekOptions> = { state: true };
const EXPECTED = '"start", "end", { time }, { partition, offset } or { position }';

/** @throws InvalidArgumentError */
export function destination(to: TopicSeek, partitions: number): Destination {
  if (to === "start" || to === "end") return () => to;
  if (typeof to !== "object" || to === null) throw new InvalidArgumentError("to", EXPECTED, to);
  if ("time" in to) {
    const timeMs = timeOf("to.time", to.time);
    return () => ({ timeMs });
  }
  const places = new Map<number, Place>();
  if ("position" in to) {
    for (const { partition, point } of parsePosition("to.position", to.position)) {
      places.set(partition, { offset: point.offset, epoch: point.epoch });
    }
  } else {
    const { partition, offset } = to;
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new InvalidArgumentError("to.offset", "a whole number of at least 0", offset);
    places.set(partition, { offset, epoch: undefined });
  }
  for (const partition of places.keys()) {
    if (!Number.isSafeInteger(partition) || partition < 0 || partition >= partitions)
      throw new InvalidArgumentError("to.partition", `a whole number from 0 to ${partitions - 1}`, partition);
  }
  return (partition) => places.get(partition);
}

/** @throws InvalidArgumentError */
export function clearsState(given: TopicSeekOptions | undefined): boolean {
  const { state = "keep" } = givenOptions(given, SEEK_OPTIONS);
  if (state === "keep" || state === "clear") return state === "clear";
  throw new InvalidArgumentError("state", '"keep" or "clear"', state);
}

/** The cursor that is meant. Behind the newest message it is that one's: nothing that is published later is left out. */
export async function resolve<T>(
  source: TopicSource<T>,
  partition: number,
  place: "start" | "end" | Place,
  op: string,
): Promise<Beginning> {
  if (place === "end") return "end";
  const log = source.store(partition, op);
  const tail = await log.tail();
  if (place !== "start" && "offset" in place) {
    const { offset, epoch = tail.epoch } = place;
    return { cursor: epoch === tail.epoch ? Math.min(offset, tail.head) : offset, epoch };
  }
  const first = await log.find(place === "start" ? 0 : place.timeMs);
  return { cursor: first - 1, epoch: tail.epoch };
}
