/** Two handles on one backend and one prefix, as two processes see it; opened and closed with the suite that makes it. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { connect } from "../../src/connect.ts";
import type { Reply } from "../../src/driver/port.ts";
import type { Holdfast } from "../../src/holdfast.ts";
import type { Backend } from "./backends.ts";

/** No test waits for it: only so long that none depends on how busy the machine is. */
const TIMEOUT = "60s";

/** A name or a prefix that no other test has. */
export function randomName(): string {
  return `t${randomBytes(6).toString("hex")}`;
}

export class TwoHandles {
  readonly prefix: string = randomName();
  a!: Holdfast;
  b!: Holdfast;
  readonly #more: Holdfast[] = [];
  readonly #connect: () => Promise<Holdfast>;

  constructor({ url, options }: Pick<Backend, "url" | "options">) {
    const { prefix } = this;
    const settings = { ...options, prefix, timeout: TIMEOUT } as const;
    this.#connect = () => connect(url, settings);
    beforeAll(async () => {
      [this.a, this.b] = await Promise.all([this.#connect(), this.#connect()]);
    });
    afterAll(() => Promise.all([this.a, this.b, ...this.#more].map((each) => each?.close())));
  }

  /** One more, for a test that ends it. */
  async another(): Promise<Holdfast> {
    const hf = await this.#connect();
    this.#more.push(hf);
    return hf;
  }

  /** A command on a key, past every primitive. */
  readonly send = (...args: [command: string, key: string, ...rest: string[]]): Promise<Reply> =>
    this.a.driver.send(args, { op: "test", class: "unsafe" }, args[1]);

  /** The full names of the keys that begin with `head` behind the prefix, sorted. */
  async keys(head: string): Promise<string[]> {
    const found: string[] = [];
    for await (const page of this.a.scan(head)) found.push(...page);
    return found.toSorted();
  }
}
