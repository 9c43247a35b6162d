/** Which subscriptions a topic has, and of which kind: in the topic's first slot. */
import { InvalidArgumentError, said } from "../../base/errors.ts";
import type { Core } from "../../core/core.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import { subscriptionRegister, subscriptionRemove } from "../scripts.gen.ts";
import type { TopicSubscriptionKind } from "../subscription.ts";

export interface RegistryKeys {
  /** Of one subscription. */
  readonly registry: string;
  /** Of all. */
  readonly names: string;
  /** Its members. */
  readonly members: string;
}

export function registryKeys(core: Core, topic: string, name: string): RegistryKeys {
  const group = core.keys.group("topic", topic);
  return {
    registry: group.part("subscription", name),
    names: group.part("subscriptions"),
    members: group.part("members", name),
  };
}

export class Registry {
  readonly #core: Core;
  readonly #topic: string;
  readonly #timeoutMs: number | undefined;

  constructor(core: Core, topic: string, timeoutMs: number | undefined) {
    this.#core = core;
    this.#topic = topic;
    this.#timeoutMs = timeoutMs;
  }

  /** Undefined where there is none of this name. */
  async find(name: string): Promise<TopicSubscriptionKind | undefined> {
    const { registry } = registryKeys(this.#core, this.#topic, name);
    const call = { ...this.#call("find"), class: "read" } as const;
    const kind = await this.#core.driver.send(["HGET", registry, "kind"], call, registry);
    const text = kind === null ? "" : String(kind);
    return text === "ordered" || text === "shared" ? text : undefined;
  }

  /**
   * Registers it, unless it is there.
   * @param keepMs how long it outlives its last use; 0: for ever
   * @throws InvalidArgumentError where it is of the other kind
   */
  async register(name: string, kind: TopicSubscriptionKind, keepMs: number): Promise<void> {
    const { registry, names } = registryKeys(this.#core, this.#topic, name);
    const call = this.#call("register");
    const args = { name, kind, keepMs };
    const answer = await runScript(this.#core.driver, subscriptionRegister, { registry, names }, args, call);
    if (answer.status === "conflict") {
      const expected = `"${answer.kind}", as subscription ${JSON.stringify(name)} is, or another name`;
      const where = `topic ${JSON.stringify(this.#topic)}`;
      throw new InvalidArgumentError("kind", expected, said(`"${kind}"`), { where, op: call.op, key: this.#topic });
    }
  }

  /** Whether there was one. Its members end. */
  remove(name: string): Promise<boolean> {
    const keys = registryKeys(this.#core, this.#topic, name);
    const args = { name, channel: this.#core.wakeups.channel, wakeKey: keys.members };
    return runScript(this.#core.driver, subscriptionRemove, keys, args, this.#call("remove"));
  }

  /** Their names and kinds, by name. */
  async list(): Promise<{ readonly name: string; readonly kind: TopicSubscriptionKind }[]> {
    const { names } = registryKeys(this.#core, this.#topic, "-");
    const call = { ...this.#call("list"), class: "read" } as const;
    const listed = ((await this.#core.driver.send(["SMEMBERS", names], call, names)) as unknown[]).map(String);
    const kinds = await Promise.all(listed.map((name) => this.find(name)));
    const gone = listed.filter((_, at) => kinds[at] === undefined);
    if (gone.length > 0) {
      const forget = { ...this.#call("list"), class: "idempotent" } as const;
      await this.#core.driver.send(["SREM", names, ...gone], forget, names);
    }
    return listed
      .flatMap((name, at) => (kinds[at] === undefined ? [] : [{ name, kind: kinds[at] }]))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #call(verb: string): UnclassedCall {
    return { op: `topic.subscriptions.${verb}`, key: this.#topic, timeoutMs: this.#timeoutMs };
  }
}
