/** Runs a scenario on both servers, compares after each step what every connection received, and at the end what is kept. */
import { type Line, sameBytes } from "./comparison.ts";
import { type Client, Embedded, RealServer } from "./contestants.ts";
import type { Difference } from "./difference.ts";
import { endState } from "./end-state.ts";
import { framesOf, isMessage } from "./frames.ts";
import { knownAs } from "./known-differences.ts";
import type { Scenario, Step } from "./scenario.ts";
import { isShortWait } from "./waits.ts";

/** Settings that a scenario may change. */
const DEFAULTS: readonly (readonly [string, string])[] = [
  ["notify-keyspace-events", ""],
  ["set-max-intset-entries", "512"],
  ["hash-max-listpack-entries", "512"],
  ["hash-max-listpack-value", "64"],
  ["zset-max-listpack-entries", "128"],
  ["zset-max-listpack-value", "64"],
  ["list-max-listpack-size", "-2"],
  ["stream-node-max-entries", "100"],
  ["hll-sparse-max-bytes", "3000"],
];
const RESET: readonly Line[] = [
  ["FLUSHALL"],
  ["SCRIPT", "FLUSH"],
  ...DEFAULTS.map(([name, value]) => ["CONFIG", "SET", name, value]),
];
/** A wait of some milliseconds has ended by then. */
const SHORT_WAIT_ENDS_MS = 5000;

interface Participant {
  readonly real: Client;
  readonly embedded: Client;
  /** What was sent and may not be answered yet, the latest first. */
  unanswered: Line[];
  /** Commands since MULTI, which EXEC answers. */
  queued: Line[];
}

export class Arena {
  #real: RealServer;
  #embedded: Embedded;
  #commands = 0;
  /** The step that runs now. */
  #position: Pick<Difference, "step" | "connection" | "lines"> = { step: 0, connection: undefined, lines: [] };

  private constructor(real: RealServer, embedded: Embedded) {
    this.#real = real;
    this.#embedded = embedded;
  }

  static async open(): Promise<Arena> {
    return new Arena(await RealServer.start(), new Embedded());
  }

  async close(): Promise<void> {
    await this.#embedded.stop();
    await this.#real.stop();
  }

  /** The number of commands compared since the last call. */
  takeCommands(): number {
    const commands = this.#commands;
    this.#commands = 0;
    return commands;
  }

  /** The first difference that is not known. */
  async run(scenario: Scenario): Promise<Difference | undefined> {
    try {
      return await this.#compare(scenario);
    } catch (error) {
      return await this.#failure(error);
    }
  }

  /** A server that fails, as by crashing, is a difference, too. New ones take their places. */
  async #failure(error: unknown): Promise<Difference | undefined> {
    await this.close();
    [this.#real, this.#embedded] = [await RealServer.start(), new Embedded()];
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const difference = { ...this.#position, real: "", embedded: "", failure: text };
    return knownAs(difference) === undefined ? difference : undefined;
  }

  async #compare(scenario: Scenario): Promise<Difference | undefined> {
    await this.#unpause();
    for (const server of [this.#real, this.#embedded]) await Promise.all(RESET.map((line) => server.ask(line)));
    const participants: Participant[] = [];
    for (const resp of scenario.protocols) participants.push(await this.#enter(resp));
    try {
      for (const [index, step] of scenario.steps.entries()) {
        const lines = step.line === "connect" ? [] : [step.line];
        this.#position = { step: index, connection: step.by, lines };
        const differences = await this.#step(participants, step, index);
        if (differences.some((difference) => knownAs(difference)?.diverges)) return undefined;
        const unknown = differences.find((difference) => knownAs(difference) === undefined);
        if (unknown !== undefined) return unknown;
      }
      return await this.#compareEnd(scenario.steps.length);
    } finally {
      for (const participant of participants) leave(participant);
    }
  }

  async #enter(resp: 2 | 3): Promise<Participant> {
    const real = await this.#real.connect();
    const embedded = this.#embedded.connectAs(real.id);
    const participant = { real, embedded, unanswered: [], queued: [] };
    if (resp === 2) return participant;
    for (const client of [real, embedded]) client.send(["HELLO", "3"]);
    await this.#settle();
    for (const client of [real, embedded]) client.take();
    return participant;
  }

  async #step(participants: Participant[], { by, line }: Step, index: number): Promise<Difference[]> {
    const participant = participants[by] as Participant;
    if (line === "connect") {
      leave(participant);
      participants[by] = await this.#enter(2);
    } else {
      if (participant.real.closed || waitsUnobserved(participant, line)) return [];
      await this.#send(
        participant,
        line.map((word) => numbered(word, participants)),
      );
    }
    return participants.flatMap((one, connection) => compare(one, index, connection) ?? []);
  }

  async #send(participant: Participant, line: Line): Promise<void> {
    this.#commands += 1;
    participant.unanswered.unshift(line);
    participant.real.send(line);
    participant.embedded.send(line);
    await this.#settle();
    // A server may write an answer some turns before it closes the connection.
    for (let tries = 0; tries < 20 && participant.real.closed !== participant.embedded.closed; tries += 1)
      await this.#settle();
    if (!isShortWait(line)) return;
    const deadline = Date.now() + SHORT_WAIT_ENDS_MS;
    while (!participant.real.hasReceived || !participant.embedded.hasReceived) {
      if (Date.now() > deadline) return;
      await this.#settle();
    }
  }

  async #settle(): Promise<void> {
    await Promise.all([this.#real.settle(), this.#embedded.settle()]);
  }

  /** Commands that were held back run now. */
  async #unpause(): Promise<void> {
    for (const server of [this.#real, this.#embedded]) await server.ask(["CLIENT", "UNPAUSE"]);
    await this.#settle();
  }

  async #compareEnd(step: number): Promise<Difference | undefined> {
    await this.#unpause();
    const [real, embedded] = await Promise.all(
      [this.#real, this.#embedded].map((server) => endState((line) => server.ask(line))),
    );
    for (const [i, { db, line, reply }] of (real ?? []).entries()) {
      const other = embedded?.[i]?.reply ?? "nothing";
      const difference = {
        step,
        connection: undefined,
        lines: [[...line, `(database ${db})`]],
        real: reply,
        embedded: other,
      };
      if (!sameBytes(reply, other, [line]) && knownAs(difference) === undefined) return difference;
    }
    return undefined;
  }
}

/** A short wait that begins later, because the client still waits for something else, ends beside other steps. */
function waitsUnobserved({ unanswered }: Participant, line: Line): boolean {
  return unanswered.length > 0 && isShortWait(line);
}

function leave({ real, embedded }: Participant): void {
  real.close();
  embedded.close();
}

function numbered(word: string, participants: readonly Participant[]): string {
  const index = /^\{id:(\d)\}$/.exec(word)?.[1];
  return index === undefined ? word : `${participants[Number(index)]?.real.id ?? 0}`;
}

function compare(participant: Participant, step: number, connection: number): Difference | undefined {
  const [real, embedded] = [participant.real.take(), participant.embedded.take()];
  const lines = [...participant.unanswered, ...participant.queued];
  const closed = [participant.real, participant.embedded].map((client) => (client.closed ? "(closed)" : ""));
  const isSame = closed[0] === closed[1] && sameBytes(real, embedded, lines);
  noteAnswers(participant, real);
  if (isSame) return undefined;
  return { step, connection, lines, real: `${real}${closed[0]}`, embedded: `${embedded}${closed[1]}` };
}

/** When as many answers came as were due, nothing is open any more. What a transaction collects stays of interest until its end. */
function noteAnswers(participant: Participant, bytes: string): void {
  if (bytes === "") return;
  const answers = framesOf(bytes).filter((frame) => !isMessage(frame));
  if (answers.length < participant.unanswered.length && !participant.unanswered.some(endsTransaction)) return;
  if (answers.some(({ text }) => text === "+QUEUED\r\n")) participant.queued.push(...participant.unanswered);
  else if (participant.unanswered.some(endsTransaction)) participant.queued = [];
  participant.unanswered = [];
}

function endsTransaction([name = ""]: Line): boolean {
  return /^(?:EXEC|DISCARD|RESET)$/i.test(name);
}
