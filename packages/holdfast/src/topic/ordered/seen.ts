/**
 * The newest message of each partition that this process has read, over all the times that it owns it. A failover that loses the end of the log mostly loses
 * the last commits too: then an owner finds its cursor moved, begins again, and learns only from this that messages which it had read are gone.
 */
import type { LogFeed } from "../../core/log/feed.ts";
import type { LogPoint } from "../../core/log/pack.ts";

export class Seen {
  readonly #points = new Map<number, LogPoint>();

  read(partition: number, point: LogPoint): void {
    this.#points.set(partition, point);
  }

  /** That it is lost was told. */
  forget(partition: number): void {
    this.#points.delete(partition);
  }

  /** Whether the log of this epoch no longer has it: of another one its reader tells. Cost: HMGET and XRANGE, where something was read. */
  async isLost(partition: number, epoch: number, feed: Pick<LogFeed, "look">): Promise<boolean> {
    const point = this.#points.get(partition);
    if (point === undefined || point.epoch !== epoch) return false;
    const {
      tail,
      packs: [pack],
    } = await feed.look(point.offset, 1);
    if (pack === undefined) return tail.epoch === epoch && tail.head < point.offset;
    // One behind it: retention has removed it.
    return pack.epoch === epoch && pack.first <= point.offset && pack.at !== point.at;
  }
}
