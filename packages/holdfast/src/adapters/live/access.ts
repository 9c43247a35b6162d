/** Whose a connection is, and what that one may have. */
import { InvalidArgumentError } from "../../base/errors.ts";
import type { Channel } from "../../channel/channel.ts";
import { checkText } from "../../core/keyspace/keyspace.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { Control } from "./control.ts";
import {
  isSource,
  type LiveIdentity,
  type LiveRequested,
  type LiveSettings,
  type LiveSource,
  SOURCE_WORDS,
  USER_SUBSCRIPTION,
} from "./options.ts";

const MAX_SUBSCRIPTION_LENGTH = 256;
/** What would end a line of an event. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

export class Access<R> {
  readonly #hf: Holdfast;
  readonly #where: string;
  readonly #settings: LiveSettings<R>;
  readonly #control: Control;

  constructor(hf: Holdfast, where: string, settings: LiveSettings<R>, control: Control) {
    this.#hf = hf;
    this.#where = where;
    this.#settings = settings;
    this.#control = control;
  }

  /** Undefined where it is nobody. An `end` that comes while it is found out is not missed: then it is found out again. */
  identified(request: R): Promise<LiveIdentity | undefined> {
    const { identify } = this.#settings;
    return this.#control.identified(async () => {
      const identity: unknown = identify === undefined ? {} : await identify(request);
      // Whatever else a function in JavaScript returns, it is nobody.
      return typeof identity === "object" && identity !== null ? identity : undefined;
    });
  }

  /** Those of `subscriptions` that exist and may be had. */
  async found(
    subscriptions: readonly string[],
    identity: LiveIdentity,
    request: R,
  ): Promise<ReadonlyMap<string, LiveSource>> {
    const found = await Promise.all(subscriptions.map((each) => this.#find(each, identity, request)));
    return new Map(subscriptions.flatMap((each, at) => (found[at] === undefined ? [] : [[each, found[at]] as const])));
  }

  /** What `toUser` sends goes by it. */
  userChannel(user: string): Channel<unknown> {
    return this.#hf.channel(`${this.#control.name}:user:${checkText("user", user, 512)}`);
  }

  async #find(subscription: string, identity: LiveIdentity, request: R): Promise<LiveSource | undefined> {
    const requested = requestedOf(subscription, identity, request);
    if (requested === undefined) return undefined;
    if (subscription === USER_SUBSCRIPTION)
      return identity.user === undefined ? undefined : this.userChannel(identity.user);
    const { sources, authorize } = this.#settings;
    const source = sources.get(requested.name);
    if (source === undefined || (typeof source !== "function" && requested.id !== undefined)) return undefined;
    // Whatever else a function in JavaScript returns, it allows nothing.
    const isAllowed: unknown = authorize === undefined || (await authorize(requested));
    if (isAllowed !== true) return undefined;
    const found = typeof source === "function" ? await source(requested) : source;
    if (found === undefined || isSource(found)) return found;
    const expected = `a function that returns ${SOURCE_WORDS}`;
    throw new InvalidArgumentError(`sources.${requested.name}`, expected, found, { where: this.#where });
  }
}

/** Undefined for what no subscription is called. */
function requestedOf<R>(subscription: string, identity: LiveIdentity, request: R): LiveRequested<R> | undefined {
  const isName = subscription.length <= MAX_SUBSCRIPTION_LENGTH && subscription.isWellFormed();
  if (!isName || CONTROL.test(subscription)) return undefined;
  const colon = subscription.indexOf(":");
  const name = colon < 0 ? subscription : subscription.slice(0, colon);
  const id = colon < 0 ? undefined : subscription.slice(colon + 1);
  return id === "" ? undefined : { subscription, name, id, identity, request };
}
