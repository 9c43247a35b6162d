/** The subscriptions of a topic, whoever their members are. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { Operations } from "../../core/observe/observe.ts";
import { checkText } from "../../core/keyspace/keyspace.ts";
import { clearsState } from "../ordered/beginning.ts";
import { OrderedControl } from "../ordered/control.ts";
import { SharedControl } from "../shared/control.ts";
import type { TopicSource } from "../source.ts";
import type { TopicLag, TopicSeek, TopicSeekOptions, TopicSubscriptionKind } from "../subscription.ts";
import { Registry } from "./registry.ts";

export interface TopicSubscriptionInfo {
  readonly name: string;
  readonly kind: TopicSubscriptionKind;
}

/** What is done to a subscription of either kind. */
export interface SubscriptionControl {
  lag(): Promise<TopicLag>;
  seek(to: TopicSeek, options?: TopicSeekOptions): Promise<void>;
  /** Forgets what is in the partitions. */
  remove(): Promise<void>;
}

const MAX_NAME_LENGTH = 256;
/** What is done from outside keeps a subscription no longer. */
const AS_BEFORE = -1;

/**
 * @example
 * for (const { name } of await orders.subscriptions.list()) console.log(name, await orders.subscriptions.lag(name));
 */
export class TopicSubscriptions {
  readonly #source: TopicSource<unknown>;
  readonly #operations: Operations;
  readonly #registry: Registry;

  constructor(source: TopicSource<unknown>) {
    this.#source = source;
    this.#operations = new Operations("topic", source.name);
    this.#registry = new Registry(source.core, source.name, source.settings.timeoutMs);
  }

  /**
   * Returns their names and kinds, in the order of the names.
   * Cost: SMEMBERS, and HGET for each.
   */
  list(): Promise<TopicSubscriptionInfo[]> {
    return this.#operations.run("subscriptions.list", undefined, () => this.#registry.list());
  }

  /**
   * Returns how far a subscription is behind; undefined where there is none of this name.
   * Cost: three reads per partition.
   */
  lag(name: string): Promise<TopicLag | undefined> {
    return this.#operations.run("subscriptions.lag", name, async () => (await this.#control(name))?.lag());
  }

  /**
   * Moves a subscription, for all of its members: what is in flight is fenced, its outcome does not count. Whether there is one.
   * Cost: a script per partition, and what a time costs to find.
   */
  seek(name: string, to: TopicSeek, options?: TopicSeekOptions): Promise<boolean> {
    return this.#operations.run("subscriptions.seek", name, async () => {
      clearsState(options);
      const control = await this.#control(name);
      await control?.seek(to, options);
      return control !== undefined;
    });
  }

  /**
   * Removes a subscription: its members end, and what it has not passed is not kept for it any more. Whether there was one.
   * Cost: a script, and two commands per partition.
   */
  remove(name: string): Promise<boolean> {
    return this.#operations.run("subscriptions.remove", name, async () => {
      const control = await this.#control(name);
      const was = await this.#registry.remove(name);
      await control?.remove();
      return was;
    });
  }

  async #control(name: string): Promise<SubscriptionControl | undefined> {
    const kind = await this.#registry.find(checkSubscription(name));
    if (kind === undefined) return undefined;
    return kind === "ordered"
      ? new OrderedControl(this.#source, name, AS_BEFORE)
      : new SharedControl(this.#source, name, AS_BEFORE);
  }
}

/** A subscription's name, refused where it is none. */
export function checkSubscription(name: string): string {
  return checkText("name", name, MAX_NAME_LENGTH);
}

export function checkHandler<F>(handler: F, given: string): F {
  if (typeof handler === "function") return handler;
  throw new InvalidArgumentError("handler", `a function that is given ${given}`, handler);
}
