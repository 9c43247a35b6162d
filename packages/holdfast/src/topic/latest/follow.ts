/** Changes of a topic's keys: the newest message of each, then what comes. */
import { onAbort } from "../../base/abort.ts";
import { Deferred } from "../../base/deferred.ts";
import type { LogPack, LogPoint } from "../../core/log/pack.ts";
import { encodePosition } from "../../core/log/position.ts";
import { Reports } from "../../core/observe/reports.ts";
import { TOMBSTONE, type TopicMessage } from "../message.ts";
import type { TopicRawMessage } from "../read/options.ts";
import type { TopicSource } from "../source.ts";
import { type Following, PART } from "./options.ts";
import { LatestReader } from "./reader.ts";
import { LatestStore } from "./store.ts";
import type { LatestWatch } from "./watch.ts";

/** `position` is what `follow({ from })` takes to go on behind it, here or in another process. */
export type TopicChange<T> =
  | {
      readonly type: "set";
      readonly key: string;
      readonly value: T;
      readonly message: TopicMessage<T>;
      readonly position: string;
    }
  | { readonly type: "delete"; readonly key: string; readonly position: string }
  /** What there was has been yielded, each key once; what follows are changes. */
  | { readonly type: "live"; readonly position: string }
  /** What was yielded is not continued by what follows, which is all that there is: forget it. */
  | { readonly type: "reset"; readonly position: string };

interface Current {
  readonly pack: LogPack;
  readonly partition: number;
  /** Where it is in the other partitions. */
  readonly others: string;
  offset: number;
}

export async function* follow<T>(
  source: TopicSource<T>,
  watch: LatestWatch,
  following: Following,
): AsyncGenerator<TopicChange<T>, void, undefined> {
  let { starts } = following;
  for (;;) {
    const run = new Follow(source, watch, { ...following, starts });
    try {
      for (let isOver = false; !isOver;) {
        const change = await run.next();
        if (change === undefined) return;
        isOver = change.type === "reset";
        yield change;
      }
    } finally {
      run.close();
    }
    starts = starts.map(() => ({ kind: "snapshot" }));
  }
}

class Follow<T> {
  readonly #source: TopicSource<T>;
  readonly #following: Following;
  readonly #reports: Reports<never, TopicRawMessage>;
  readonly #readers: readonly LatestReader[];
  readonly #unwatch: () => void;
  readonly #unfollow: () => void;
  #current: Current | undefined;
  /** `others` of the partition that was taken from last. */
  #others: { readonly partition: number; readonly text: string } | undefined;
  /** The partition that is asked first; all in turn. */
  #turn = 0;
  #isLive = false;
  #isLost = false;
  #isClosed = false;
  #arrival: Deferred<void> | undefined;

  constructor(source: TopicSource<T>, watch: LatestWatch, following: Following) {
    const { core, logs, label } = source;
    const store = new LatestStore(source, "topic.follow");
    this.#source = source;
    this.#following = following;
    this.#reports = new Reports(label, "HOLDFAST_TOPIC", following);
    this.#readers = following.starts.map(
      (start, partition) => new LatestReader(core.logs.feed(logs[partition]!), store, partition, start, this.#wake),
    );
    this.#unwatch = watch.watch((partition, began) => {
      if (!this.#readers[partition]!.isAnother(began)) return;
      this.#isLost = true;
      this.#wake();
    });
    this.#unfollow = onAbort(following.signal, () => {
      this.close();
      this.#wake();
    });
    if (following.signal?.aborted === true) this.close();
  }

  /** Undefined when it has ended. A `reset` is the last. */
  async next(): Promise<TopicChange<T> | undefined> {
    for (;;) {
      const change = this.#take();
      if (change !== undefined) return change;
      if (this.#isClosed || this.#readers.some((reader) => reader.isClosed)) return undefined;
      this.#arrival ??= new Deferred();
      await this.#arrival.promise;
    }
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#unwatch();
    this.#unfollow();
    for (const reader of this.#readers) reader.close();
  }

  readonly #wake = (): void => {
    this.#arrival?.resolve();
    this.#arrival = undefined;
  };

  /** What is at hand. */
  #take(): TopicChange<T> | undefined {
    while (!this.#isClosed) {
      if (this.#isLost) return this.#reset();
      if (this.#current !== undefined) {
        const change = this.#fromPack(this.#current);
        if (change !== undefined) return change;
        continue;
      }
      if (!this.#isLive && this.#readers.every((reader) => reader.isFilled)) {
        this.#isLive = true;
        return { type: "live", position: this.#positionOf(0, this.#readers[0]!.point) };
      }
      const taken = this.#isLive ? this.#next() : this.#fill();
      if (taken !== "more") return taken;
    }
    return undefined;
  }

  /** One partition after the other. What is published meanwhile is read when all are done. */
  #fill(): TopicChange<T> | "more" | undefined {
    return this.#takeFrom(this.#readers.findIndex((reader) => !reader.isFilled));
  }

  #next(): TopicChange<T> | "more" | undefined {
    const { length } = this.#readers;
    for (let asked = 0; asked < length; asked += 1) {
      const partition = (this.#turn + asked) % length;
      const taken = this.#takeFrom(partition);
      if (taken === undefined) continue;
      this.#turn = (partition + 1) % length;
      return taken;
    }
    return undefined;
  }

  #takeFrom(partition: number): TopicChange<T> | "more" | undefined {
    const item = this.#readers[partition]!.take();
    if (item === undefined) return undefined;
    if (item.kind === "reset") return this.#reset();
    if (item.kind === "deleted") {
      const { key, point } = item;
      if (!this.#isWanted(key)) return "more";
      return { type: "delete", key, position: this.#positionOf(partition, point) };
    }
    if (item.kind === "pack")
      this.#current = { pack: item.pack, partition, others: this.#othersOf(partition), offset: item.from };
    return "more";
  }

  #reset(): TopicChange<T> {
    const nowhere = this.#readers.map((_, partition) => encodePosition(partition, { epoch: 0, offset: 0, at: 0 }));
    return { type: "reset", position: PART + nowhere.join("_") };
  }

  /** Undefined for what is not wanted or cannot be read. */
  #fromPack(current: Current): TopicChange<T> | undefined {
    const { pack, partition, others, offset } = current;
    if (offset >= pack.last) this.#current = undefined;
    current.offset += 1;
    try {
      const { key, mark } = pack.frame(offset);
      // Whoever knows nothing of `latest` publishes without a key.
      if (key === undefined || !this.#isWanted(key)) return undefined;
      const message = this.#source.decode(pack, offset, partition, others === "" ? undefined : others);
      const position = (this.#isLive ? "" : PART) + message.position;
      if (mark === TOMBSTONE) return { type: "delete", key, position };
      return { type: "set", key, value: message.payload, message, position };
    } catch (error) {
      this.#reports.error(error, rawOf(pack, offset, partition));
      return undefined;
    }
  }

  #isWanted(key: string): boolean {
    const { filter } = this.#following;
    try {
      return filter === undefined || filter(key);
    } catch (error) {
      this.#reports.error(error);
      return false;
    }
  }

  #positionOf(partition: number, point: LogPoint): string {
    const others = this.#othersOf(partition);
    const own = encodePosition(partition, point);
    return (this.#isLive ? "" : PART) + (others === "" ? own : `${own}_${others}`);
  }

  /** Those of other partitions do not move while this one is taken from. */
  #othersOf(partition: number): string {
    if (this.#readers.length === 1) return "";
    if (this.#others?.partition === partition) return this.#others.text;
    const texts: string[] = [];
    for (const [other, reader] of this.#readers.entries())
      if (other !== partition) texts.push(encodePosition(other, reader.point));
    this.#others = { partition, text: texts.join("_") };
    return this.#others.text;
  }
}

/** Undefined where not even the frame can be read. */
function rawOf(pack: LogPack, offset: number, partition: number): TopicRawMessage | undefined {
  try {
    const { key, id, headers, payload } = pack.frame(offset);
    return { key, id, headers, payload, partition, offset };
  } catch {
    return undefined;
  }
}
