/**
 * Command lines made at random from their syntax, in the notation of Redis's reference:
 *
 *     SET key value [NX|XX] [GET] [EX ttl | KEEPTTL]
 *     ZADD key (score member)+
 *
 * `[a]` may be there, `a|b` is a choice, `(a b)` groups, `+` repeats one to three times. A word in lower case is a placeholder,
 * any other stands for itself.
 */
import type { SeededRandom } from "../base/random.ts";

/** The words that a placeholder stands for this time. */
export type Placeholders = Readonly<Record<string, (random: SeededRandom) => string | readonly string[]>>;

type Rule = (random: SeededRandom, placeholders: Placeholders) => string[];

export class Syntax {
  readonly #rule: Rule;

  constructor(notation: string) {
    const tokens = notation.match(/[()[\]|]|[^\s()[\]|]+/g) ?? [];
    this.#rule = choice(tokens);
    if (tokens.length > 0) throw new Error(`not closed: ${notation}`);
  }

  generate(random: SeededRandom, placeholders: Placeholders): string[] {
    return this.#rule(random, placeholders);
  }
}

// Each of these takes its tokens from the front of the list.

function choice(tokens: string[]): Rule {
  const rules = [sequence(tokens)];
  while (tokens[0] === "|") {
    tokens.shift();
    rules.push(sequence(tokens));
  }
  return (random, placeholders) => random.pick(rules)(random, placeholders);
}

function sequence(tokens: string[]): Rule {
  const rules: Rule[] = [];
  while (tokens[0] !== undefined && !["|", ")", "]"].includes(tokens[0])) rules.push(item(tokens));
  return (random, placeholders) => rules.flatMap((rule) => rule(random, placeholders));
}

function item(tokens: string[]): Rule {
  const token = tokens.shift() ?? "";
  if (token === "[") {
    const rule = closed(tokens, "]");
    return (random, placeholders) => (random.chance(0.35) ? rule(random, placeholders) : []);
  }
  const rule = token === "(" ? closed(tokens, ")") : word(token);
  if (tokens[0] !== "+") return rule;
  tokens.shift();
  return (random, placeholders) =>
    Array.from({ length: random.integer(1, 3) }, () => rule(random, placeholders)).flat();
}

function closed(tokens: string[], end: string): Rule {
  const rule = choice(tokens);
  if (tokens.shift() !== end) throw new Error(`${end} is missing`);
  return rule;
}

function word(text: string): Rule {
  if (!/^[a-z]+$/.test(text)) return () => [text];
  return (random, placeholders) => {
    const placeholder = placeholders[text];
    if (placeholder === undefined) throw new Error(`no placeholder is called ${text}`);
    return [placeholder(random)].flat();
  };
}
