/** What requests of one channel are made of, and its names on the server, which are all in one slot. */
import type { Codec } from "../../core/codec/codec.ts";
import type { Core } from "../../core/core.ts";
import type { Failure } from "./reply-error.ts";

export interface RequestSource<T, R> {
  readonly core: Core;
  /** The channel's name, and as messages name it. */
  readonly name: string;
  readonly label: string;
  readonly requests: Codec<T>;
  readonly replies: Codec<R>;
  readonly failures: Codec<Failure>;
  readonly timeoutMs: number;
}

export class RequestNames {
  /** An encrypted request opens in its own channel only. */
  readonly aad: string;
  readonly groups: string;
  /** Sharded channels: of all responders, and what those of single ones begin with. */
  readonly call: string;
  readonly to: string;
  readonly #core: Core;

  constructor({ core, name }: Pick<RequestSource<never, never>, "core" | "name">) {
    const keys = core.keys.group("request", name);
    this.#core = core;
    this.aad = keys.key;
    this.groups = keys.part("groups");
    this.call = keys.part("call");
    this.to = `${keys.part("to")}:`;
  }

  responders(group: string): string {
    return `${this.aad}:group:${group}`;
  }

  /** The sharded channel of those who ask. */
  inbox(inbox: string): string {
    return this.#core.keys.group("inbox", inbox).key;
  }

  /** An encrypted reply opens only as the one to its request. */
  replyAad(inbox: string, number: number): string {
    return `${this.inbox(inbox)} ${number}`;
  }
}
