/** One scenario for a seed: several connections, and what they send one after the other. */
import { SeededRandom } from "../../base/random.ts";
import {
  ALL_KEYS,
  BEGINNINGS,
  DATA_FAMILIES,
  type DataFamily,
  families,
  type Family,
  type FamilyName,
} from "./families.ts";
import { isDeterministic, mutated } from "./mutations.ts";
import { ScriptMaker } from "./scripts.ts";
import { isShortWait, mayWait } from "./waits.ts";

export interface Step {
  /** Index of a connection. */
  readonly by: number;
  /** `connect` ends the connection and opens a new one. `{id:1}` in a line stands for a connection's number on the server. */
  readonly line: readonly string[] | "connect";
}

export interface Scenario {
  readonly seed: number;
  /** Each connection's protocol. */
  readonly protocols: readonly (2 | 3)[];
  readonly steps: readonly Step[];
}

const LIMITS = [
  "set-max-intset-entries",
  "hash-max-listpack-entries",
  "hash-max-listpack-value",
  "zset-max-listpack-entries",
  "zset-max-listpack-value",
  "list-max-listpack-size",
  "stream-node-max-entries",
];
/** A client that waits has been served after so many steps, most likely. */
const WAIT_STEPS = 10;

/** What the generator believes of a connection; the servers may see it otherwise, which is fine. */
interface Belief {
  readonly resp: 2 | 3;
  /** What it sends next, if anything is planned. */
  plan: (readonly string[] | "connect")[];
  /** For so many more steps. */
  waiting: number;
  subscribed: boolean;
}

export function scenarioOf(seed: number): Scenario {
  return new Generator(seed).scenario();
}

class Generator {
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #families: Record<FamilyName, Family>;
  readonly #scripts: ScriptMaker;
  readonly #connections: Belief[];
  /** The families of this scenario: a few, so that their commands meet. */
  readonly #chosen: readonly DataFamily[];
  #active = 0;
  /** Not both kinds: of two pauses at once the stricter kind and the later end count, so that nobody would be heard. */
  readonly #pauses: "write" | "all" | "none";

  constructor(seed: number) {
    const random = new SeededRandom(seed);
    this.#pauses = random.pick(["write", "all", "none", "none", "none"] as const);
    this.#seed = seed;
    this.#random = random;
    this.#families = families(
      () => `{id:${random.integer(0, this.#connections.length - 1)}}`,
      () => this.#pauses !== "write" && this.#current.waiting === 0,
    );
    this.#scripts = new ScriptMaker(random, () => this.#dataLine());
    this.#connections = Array.from({ length: random.integer(2, 4) }, () => ({
      resp: random.pick([2, 3, 3] as const),
      plan: [],
      waiting: 0,
      subscribed: false,
    }));
    this.#chosen = Array.from({ length: random.integer(1, 4) }, () => random.pick(DATA_FAMILIES));
  }

  scenario(): Scenario {
    const steps: Step[] = [];
    const random = this.#random;
    if (random.chance(0.3)) steps.push({ by: 0, line: this.#limits() });
    // Most commands on streams need a group: there is one even where streams come by the way.
    for (const family of new Set([...this.#chosen, "streams"] as const)) {
      for (const line of BEGINNINGS[family]) if (random.chance(0.9)) steps.push({ by: 0, line: line.split(" ") });
    }
    for (let left = random.integer(20, 120); left > 0; left -= 1) {
      this.#active = this.#nextConnection();
      const line = this.#nextLine();
      for (const connection of this.#connections) connection.waiting = Math.max(0, connection.waiting - 1);
      this.#believe(line);
      steps.push({ by: this.#active, line });
    }
    return { seed: this.#seed, protocols: this.#connections.map(({ resp }) => resp), steps };
  }

  /** Where small values become large ones: sooner than by default. Set before there are any. */
  #limits(): readonly string[] {
    const random = this.#random;
    const settings = LIMITS.flatMap((name) => (random.chance(0.5) ? [name, random.pick(["3", "10", "64"])] : []));
    return ["CONFIG", "SET", ...settings, "hz", "10"];
  }

  get #current(): Belief {
    return this.#connections[this.#active] as Belief;
  }

  /** One that waits is mostly left alone. */
  #nextConnection(): number {
    const index = this.#random.integer(0, this.#connections.length - 1);
    if (this.#connections[index]?.waiting === 0 || this.#random.chance(0.15)) return index;
    return this.#random.integer(0, this.#connections.length - 1);
  }

  #nextLine(): readonly string[] | "connect" {
    const random = this.#random;
    const current = this.#current;
    if (current.plan.length > 0 && random.chance(0.8)) return current.plan.shift() ?? "connect";
    if (current.subscribed && random.chance(0.9)) return this.#line("subscribers");
    const waiting = this.#connections.findIndex((connection) => connection.waiting > 0);
    if (waiting !== -1 && this.#pauses === "none" && random.chance(0.08)) return this.#freeing(waiting);
    const kind = random.fraction();
    if (kind < 0.06) return this.#planned();
    if (kind < 0.14) return this.#line("clients");
    if (kind < 0.19) return this.#line("pubSub");
    if (kind < 0.2) return this.#line("flushes");
    if (kind < 0.3) return this.#script();
    return this.#dataLine();
  }

  #freeing(waiting: number): readonly string[] {
    (this.#connections[waiting] as Belief).waiting = 0;
    return ["CLIENT", "UNBLOCK", `{id:${waiting}}`, ...this.#random.pick([[], ["TIMEOUT"], ["ERROR"]])];
  }

  /** The first step of something longer. */
  #planned(): readonly string[] | "connect" {
    const random = this.#random;
    const current = this.#current;
    current.plan = random.pick([
      () => this.#transaction(),
      () => this.#transaction(),
      () => this.#silence(),
      () => (this.#pauses !== "none" ? this.#pause() : this.#transaction()),
      () => this.#end(),
    ])();
    return current.plan.shift() ?? "connect";
  }

  #transaction(): (readonly string[])[] {
    const random = this.#random;
    const watch = random.chance(0.5) ? [["WATCH", ...this.#keys(1)]] : [];
    const body = Array.from({ length: random.integer(0, 5) }, () => this.#anyLine());
    return [...watch, ["MULTI"], ...body, [random.chance(0.85) ? "EXEC" : "DISCARD"]];
  }

  #silence(): (readonly string[])[] {
    if (this.#random.chance(0.5)) return [["CLIENT", "REPLY", "SKIP"], this.#anyLine()];
    return [["CLIENT", "REPLY", "OFF"], this.#anyLine(), this.#anyLine(), ["CLIENT", "REPLY", "ON"]];
  }

  #pause(): (readonly string[])[] {
    if (this.#pauses === "all") return [["CLIENT", "PAUSE", "20", ...this.#random.pick([[], ["ALL"]])]];
    return [["CLIENT", "PAUSE", "1000000", "WRITE"], this.#anyLine(), ["CLIENT", "UNPAUSE"]];
  }

  #end(): (readonly string[] | "connect")[] {
    const own = `{id:${this.#active}}`;
    return this.#random.pick([
      ["connect"],
      [["QUIT"], "connect"],
      [["CLIENT", "KILL", "ID", own, "SKIPME", "no"], "connect"],
    ]);
  }

  #anyLine(): readonly string[] {
    if (this.#random.chance(0.15)) return this.#script();
    return this.#random.chance(0.15) ? this.#line(this.#random.pick(["clients", "pubSub"])) : this.#dataLine();
  }

  #script(): readonly string[] {
    return this.#scripts.commandLine(this.#keys(0));
  }

  #dataLine(): readonly string[] {
    const random = this.#random;
    return this.#line(random.pick(random.chance(0.75) ? this.#chosen : DATA_FAMILIES));
  }

  #keys(least: number): string[] {
    return Array.from({ length: this.#random.integer(least, 2) }, () => this.#random.pick(ALL_KEYS));
  }

  #line(name: FamilyName): readonly string[] {
    const { syntaxes, placeholders } = this.#families[name];
    for (;;) {
      const line = this.#random.pick(syntaxes).generate(this.#random, placeholders);
      const isMutated = this.#random.chance(0.08);
      const args = isMutated ? mutated(this.#random, line) : line;
      // Redis serves those who wait for several of the keys that it brings in the order of a hash table.
      if (args[0] === "SWAPDB" && this.#connections.some(({ waiting }) => waiting > 0)) continue;
      if (this.#pauses !== "none" && args[1] === "UNBLOCK") continue;
      // A part of a set that is not sorted is chosen by chance.
      const isRisky = isMutated || /^SORT/i.test(args[0] ?? "");
      if (!isRisky || (isDeterministic(args) && !isShortWait(args))) return args;
    }
  }

  #believe(line: readonly string[] | "connect"): void {
    const current = this.#current;
    if (line === "connect") {
      current.waiting = 0;
      current.subscribed = false;
      return;
    }
    const name = line[0]?.toUpperCase() ?? "";
    if (mayWait(line)) current.waiting = WAIT_STEPS;
    if (/^[SP]?SUBSCRIBE$/.test(name)) current.subscribed = current.resp === 2;
    if (name === "RESET" || name.endsWith("UNSUBSCRIBE")) current.subscribed = false;
  }
}
