/**
 * The oracle: the same commands go to a real `redis-server` and to an embedded server, and the bytes of the answers must be the same.
 *
 *     const oracle = await startOracle();          // beforeAll; oracle.close() in afterAll
 *     await oracle.expectSame(["SET a 1", "INCR a", ["SETRANGE", "a", "2", "\x00\xff"]]);
 *
 * A command is a line, split as redis-cli splits it, or a list of arguments (binary strings). Each list runs twice on empty
 * servers: in RESP2 and in RESP3.
 */
import { expect } from "vitest";
import { startStandalone } from "../../../holdfast/test/support/servers.ts";
import { splitArguments } from "../protocol/inline.ts";
import { createServer } from "../server.ts";
import { RawClient } from "./raw-client.ts";

export type CommandLine = string | readonly string[];

export interface SameOptions {
  /** Rewrites a reply before it is compared: for what is unordered or depends on time. @default as it is */
  readonly normalise?: (reply: string, command: readonly string[]) => string;
  /** @default both */
  readonly resp?: 2 | 3;
}

export interface Oracle {
  /** Runs the commands one after the other on both servers and fails at the first difference. */
  expectSame(commands: readonly CommandLine[], options?: SameOptions): Promise<void>;
  /** A connection to each of both, for scenarios with several clients. Nothing is flushed. */
  connect(resp?: 2 | 3): Promise<Pair>;
  close(): Promise<void>;
}

/** The same client on both servers. */
export class Pair {
  readonly #real: RawClient;
  readonly #embedded: RawClient;

  constructor(real: RawClient, embedded: RawClient) {
    this.#real = real;
    this.#embedded = embedded;
  }

  /** Both answers must be the same; returns them. `replies` is for SUBSCRIBE to several channels. */
  async same(command: CommandLine, options: SameOptions & { readonly replies?: number } = {}): Promise<string> {
    const args = wordsOf(command);
    const answers = await Promise.all([this.#real, this.#embedded].map((client) => client.send(args, options.replies)));
    return compare(answers, args, options);
  }

  /** (P|S)(UN)SUBSCRIBE with one channel: RESP2 answers it, RESP3 sends a message. */
  async subscription(command: CommandLine, resp: 2 | 3): Promise<string> {
    if (resp === 2) return this.same(command);
    const args = wordsOf(command);
    const confirmations = await Promise.all([this.#real, this.#embedded].map((client) => client.send(args, 0)));
    return compare(confirmations, args, {});
  }

  /** A command that is not the same for both, such as one with a client's number; the answers must be. */
  async sameEach([real, embedded]: readonly [CommandLine, CommandLine]): Promise<string> {
    const answers = await Promise.all([this.#real.send(wordsOf(real)), this.#embedded.send(wordsOf(embedded))]);
    return compare(answers, wordsOf(real), {});
  }

  /** For a command that blocks: the answers are compared when `finished` is awaited. */
  start(command: CommandLine): { readonly finished: Promise<string> } {
    const args = wordsOf(command);
    const answers = Promise.all([this.#real.send(args), this.#embedded.send(args)]);
    return { finished: answers.then((both) => compare(both, args, {})) };
  }

  /** The next message which the servers send without being asked. */
  async sameMessage(): Promise<string> {
    const messages = await Promise.all([this.#real.message(), this.#embedded.message()]);
    return compare(messages, ["(message)"], {});
  }

  /** Bytes that end in the server closing the connection. */
  async sameUntilClosed(bytes: string): Promise<string> {
    const both = await Promise.all([this.#real.untilClosed(bytes), this.#embedded.untilClosed(bytes)]);
    return compare(both, [bytes], {});
  }

  /** Bytes as they are, and the next replies. Not compared. */
  async raw(bytes: string, replies: number): Promise<readonly [real: string, embedded: string]> {
    return Promise.all([this.#real.sendRaw(bytes, replies), this.#embedded.sendRaw(bytes, replies)]);
  }

  /** Not compared. */
  async both(command: CommandLine): Promise<readonly [real: string, embedded: string]> {
    const args = wordsOf(command);
    return Promise.all([this.#real.send(args), this.#embedded.send(args)]);
  }

  /** For what the two do differently. */
  async embeddedOnly(command: CommandLine): Promise<string> {
    return this.#embedded.send(wordsOf(command));
  }

  close(): void {
    this.#real.close();
    this.#embedded.close();
  }
}

export async function startOracle(): Promise<Oracle> {
  const real = await startStandalone();
  const embedded = createServer();
  await embedded.listen();

  async function connect(resp: 2 | 3 = 2): Promise<Pair> {
    const [one, other] = await Promise.all([RawClient.connect(real.port), RawClient.connect(embedded.port)]);
    const pair = new Pair(one, other);
    if (resp === 3) await pair.both("HELLO 3");
    return pair;
  }

  async function run(resp: 2 | 3, commands: readonly CommandLine[], options: SameOptions): Promise<void> {
    const pair = await connect(resp);
    try {
      await pair.both("FLUSHALL");
      for (const command of commands) await pair.same(command, options);
    } finally {
      pair.close();
    }
  }

  return {
    connect,
    async expectSame(commands, options = {}) {
      for (const resp of options.resp === undefined ? ([2, 3] as const) : [options.resp]) {
        await run(resp, commands, options);
      }
    },
    async close() {
      await embedded.close();
      await real.stop();
    },
  };
}

function wordsOf(command: CommandLine): readonly string[] {
  if (typeof command !== "string") return command;
  return splitArguments(command) ?? [];
}

function compare(answers: readonly string[], args: readonly string[], options: SameOptions): string {
  const [real = "", embedded = ""] = answers.map((answer) => options.normalise?.(answer, args) ?? answer);
  const command = args.map((arg) => JSON.stringify(arg.slice(0, 200))).join(" ");
  expect({ command, reply: embedded }).toEqual({ command, reply: real });
  return real;
}
