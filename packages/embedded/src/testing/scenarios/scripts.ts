/** Lua scripts made at random that call commands, and the command lines that run them. */
import { createHash } from "node:crypto";
import { snippetOf } from "../../lua/testing/snippets.ts";
import type { SeededRandom } from "../../base/random.ts";

/** A command line for `redis.call`. */
export type LineMaker = () => readonly string[];

const NUMBERS = ["3", "3.5", "-0", "1e20", "2^53 + 1", "2^63", "1/0", "0/0", "0.1", "1e-7", "100000000000000"];
const RETURNS = [
  ...Array.from({ length: 12 }, () => "return r"),
  "return {r, #r, 3.9, true, false, nil, 'cut'}",
  "return redis.error_reply('MINE of my own')",
  "return redis.error_reply('without code\\r\\nsecond')",
  "return redis.status_reply('FINE')",
  "return {ok = 'T', err = 'E x'}",
  "return {double = 1.5}",
  "return {map = {a = 1}}",
  "return {set = {a = true}}",
  "return {big_number = '12345678901234567890'}",
  "return 2^53 + 1",
  "return tostring(#r)",
  "error('thrown')",
  "error({err = 'THROWN as a table'})",
  "return cjson.encode({#r, 'x', 1.25, false})",
  "return cmsgpack.pack(#r, 'x', {1, 2, a = 'b'})",
  "return redis.sha1hex('x' .. #r)",
];
const SHEBANGS = [
  "#!lua\n",
  "#!lua\n",
  "#!lua flags=no-writes\n",
  "#!lua flags=no-writes,allow-stale\n",
  "#!lua flags=no-writes\n",
  "#!lua flags=allow-stale,no-cluster\n",
  "#!lua flags=x\n",
  "#!js\n",
];
/** Lua's limit of registers refuses a call with many more. */
const LONGEST_CALL = 40;
/** Calls whose results have no order. */
export const UNORDERED_CALLS: RegExp = /SMEMBERS|SINTER|SUNION|SDIFF|HKEYS|HVALS|HGETALL|"KEYS"|SCAN|RAND|SPOP|NOSORT/i;

export class ScriptMaker {
  readonly #random: SeededRandom;
  readonly #line: LineMaker;
  /** Of what was sent since the last flush. */
  #sources: string[] = [];

  constructor(random: SeededRandom, line: LineMaker) {
    this.#random = random;
    this.#line = line;
  }

  /** EVAL in one of its forms, or SCRIPT. */
  commandLine(keys: readonly string[]): string[] {
    const random = this.#random;
    if (random.chance(0.08)) return this.#scriptCommand();
    const tail = [`${keys.length}`, ...keys, "a1", `${random.integer(-5, 5)}`];
    if (this.#sources.length > 0 && random.chance(0.15))
      return [random.pick(["EVALSHA", "EVALSHA", "EVALSHA_RO"]), this.#knownSha(), ...tail];
    const source = random.chance(0.15) ? snippetOf(random.integer(1, 1e9)) : this.#source();
    return [random.chance(0.15) ? "EVAL_RO" : "EVAL", this.#remembered(source), ...tail];
  }

  #scriptCommand(): string[] {
    const random = this.#random;
    return random.pick([
      () => ["SCRIPT", "LOAD", this.#remembered(this.#source())],
      () => ["SCRIPT", "EXISTS", this.#knownSha(), "x".repeat(40), this.#knownSha()],
      () => this.#flush(),
      () => ["SCRIPT", random.pick(["HELP", "X"])],
    ])();
  }

  #flush(): string[] {
    this.#sources = [];
    return ["SCRIPT", "FLUSH", ...this.#random.pick([[], ["SYNC"], ["ASYNC"], ["X"]])];
  }

  #remembered(source: string): string {
    this.#sources.push(source);
    return source;
  }

  #knownSha(): string {
    const source = this.#sources.length === 0 ? "unknown" : this.#random.pick(this.#sources);
    const sha = createHash("sha1").update(source, "latin1").digest("hex");
    return this.#random.chance(0.2) ? sha.toUpperCase() : sha;
  }

  #source(): string {
    const random = this.#random;
    const statements = Array.from({ length: random.integer(1, 5) }, () => this.#statement());
    const shebang = random.chance(0.12) ? random.pick(SHEBANGS) : "";
    return `${shebang}local r = {}\n${statements.join("\n")}\n${random.pick(RETURNS)}`;
  }

  #statement(): string {
    const random = this.#random;
    const call = this.#call();
    return random.pick([
      () => `r[#r + 1] = ${call}`,
      () => `r[#r + 1] = ${call}`,
      () => `r[#r + 1] = ${call}`,
      () => `local v = ${call} r[#r + 1] = type(v) if type(v) == 'table' then r[#r + 1] = v.err or v.ok or #v end`,
      () => `for i = 1, 3 do r[#r + 1] = ${call} end`,
      () =>
        `r[#r + 1] = redis.pcall('${random.pick(["RPUSH", "SADD", "INCRBYFLOAT", "SET", "APPEND"])}', KEYS[1] or 'x', ${random.pick(NUMBERS)})`,
      () => (UNORDERED_CALLS.test(call) ? "r[#r + 1] = #KEYS" : `local v = ${call} r[#r + 1] = cjson.encode(v)`),
      () =>
        UNORDERED_CALLS.test(call)
          ? "r[#r + 1] = #ARGV"
          : `local v = ${call} r[#r + 1] = cmsgpack.unpack(cmsgpack.pack(v))`,
      () => `redis.setresp(${random.pick(["2", "3", "3", "4"])})`,
      () => `if ${call} then r[#r + 1] = 'then' else r[#r + 1] = 'else' end`,
      () => `r[#r + 1] = {pcall(function() return ${call} end)}`,
      () => "r[#r + 1] = (KEYS[1] or ARGV[2]) .. ARGV[1]",
      () => "redis.set_repl(redis.REPL_ALL) r[#r + 1] = redis.replicate_commands()",
    ])();
  }

  #call(): string {
    const args = this.#line()
      .slice(0, LONGEST_CALL)
      .map((word) => luaString(word));
    if (this.#random.chance(0.05)) args.push(this.#random.pick(["nil", "{}", "true", "1.5"]));
    return `redis.${this.#random.chance(0.8) ? "pcall" : "call"}(${args.join(", ")})`;
  }
}

/** A literal for any bytes. */
function luaString(text: string): string {
  const escaped = text.replace(
    /[^ -!#-[\]-~]/g,
    (character) => `\\${String(character.charCodeAt(0)).padStart(3, "0")}`,
  );
  return `"${escaped}"`;
}
