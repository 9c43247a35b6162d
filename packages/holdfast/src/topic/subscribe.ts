/** From what a user gives to a subscription of the kind that is asked for. */
import { InvalidArgumentError } from "../base/errors.ts";
import { DeadLetterStore } from "./dead/store.ts";
import type {
  TopicOrderedHandler,
  TopicOrderedManyHandler,
  TopicTransactionalHandler,
  TopicTransactionalManyHandler,
} from "./ordered/handling.ts";
import {
  orderedManySettings,
  type OrderedSettings,
  orderedSettings,
  type TopicOrderedManyOptions,
  type TopicOrderedOptions,
  type TopicTransactionalManyOptions,
  type TopicTransactionalOptions,
} from "./ordered/options.ts";
import { OrderedSubscription } from "./ordered/ordered.ts";
import type { TopicSharedHandler, TopicSharedManyHandler } from "./shared/handler.ts";
import {
  sharedManySettings,
  type SharedSettings,
  sharedSettings,
  type TopicSharedManyOptions,
  type TopicSharedOptions,
} from "./shared/options.ts";
import { SharedSubscription } from "./shared/shared.ts";
import type { TopicSource } from "./source.ts";
import type { TopicSubscription } from "./subscription.ts";
import { checkHandler, checkSubscription } from "./subscriptions/subscriptions.ts";

export function subscribe<T>(
  source: TopicSource<T>,
  name: string,
  handler: TopicOrderedHandler<T> | TopicTransactionalHandler<T> | TopicSharedHandler<T>,
  options: TopicOrderedOptions | TopicTransactionalOptions | TopicSharedOptions | undefined,
): TopicSubscription {
  return refusing(source, () => {
    const checked = checkHandler(handler, "a message");
    if (isShared(options)) {
      const settings = sharedSettings(source.label, options);
      return shared(source, name, settings, { handler: checked as TopicSharedHandler<T> });
    }
    return ordered(source, name, orderedSettings(source.label, options), {
      handler: checked as TopicTransactionalHandler<T>,
    });
  });
}

export function subscribeMany<T>(
  source: TopicSource<T>,
  name: string,
  handler: TopicOrderedManyHandler<T> | TopicTransactionalManyHandler<T> | TopicSharedManyHandler<T>,
  options: TopicOrderedManyOptions | TopicTransactionalManyOptions | TopicSharedManyOptions | undefined,
): TopicSubscription {
  return refusing(source, () => {
    const checked = checkHandler(handler, "an array of messages");
    if (isShared(options)) {
      const settings = sharedManySettings(source.label, options);
      return shared(source, name, settings, { manyHandler: checked as TopicSharedManyHandler<T> });
    }
    const settings = orderedManySettings(source.label, options);
    return ordered(source, name, settings, { manyHandler: checked as TopicTransactionalManyHandler<T> });
  });
}

/** @throws InvalidArgumentError for a kind that is none */
function isShared<Shared extends { readonly kind: "shared" }>(options: Shared | object | undefined): options is Shared {
  const { kind = "ordered" } = Object(options) as { readonly kind?: unknown };
  if (kind !== "ordered" && kind !== "shared") throw new InvalidArgumentError("kind", '"ordered" or "shared"', kind);
  return kind === "shared";
}

function shared<T>(
  source: TopicSource<T>,
  name: string,
  settings: SharedSettings,
  handlers: { handler: TopicSharedHandler<T> } | { manyHandler: TopicSharedManyHandler<T> },
): TopicSubscription {
  return new SharedSubscription({ source, name: checkSubscription(name), settings, ...handlers });
}

function ordered<T>(
  source: TopicSource<T>,
  name: string,
  settings: OrderedSettings,
  handlers: { handler: TopicTransactionalHandler<T> } | { manyHandler: TopicTransactionalManyHandler<T> },
): TopicSubscription {
  if (source.settings.delays)
    throw new InvalidArgumentError(
      "kind",
      '"shared", as the topic has delayed messages, which have no order',
      "ordered",
    );
  checkSubscription(name);
  const letters = new DeadLetterStore(source, name);
  return new OrderedSubscription({ source, name, settings, ...handlers, letters });
}

function refusing<T, R>({ label, name }: TopicSource<T>, open: () => R): R {
  try {
    return open();
  } catch (error) {
    throw error instanceof InvalidArgumentError ? error.at(label, { op: "topic.subscribe", key: name }) : error;
  }
}
