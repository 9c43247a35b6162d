/** Splits a line into arguments as Redis's `sdssplitargs`: quotes, and escapes inside double ones. */
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };
/** What C's `isspace` knows, and what ends a word: not the same, and both less than JavaScript's `\s`. */
const SPACE = /[ \t\n\v\f\r]/;
const WORD_END = /[ \t\n\r]/;

/** Undefined when quotes are not balanced. */
export function splitArguments(line: string): string[] | undefined {
  const args: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (SPACE.test(line.charAt(at))) {
      at += 1;
      continue;
    }
    const word = readWord(line, at);
    if (word === undefined) return undefined;
    args.push(word.text);
    at = word.end;
  }
  return args;
}

interface Word {
  readonly text: string;
  readonly end: number;
}

function readWord(line: string, start: number): Word | undefined {
  let text = "";
  let at = start;
  while (at < line.length && !WORD_END.test(line.charAt(at))) {
    const quote = line.charAt(at);
    if (quote !== '"' && quote !== "'") {
      text += quote;
      at += 1;
      continue;
    }
    const quoted = readQuoted(line, at + 1, quote);
    if (quoted === undefined) return undefined;
    if (quoted.end < line.length && !SPACE.test(line.charAt(quoted.end))) return undefined;
    text += quoted.text;
    at = quoted.end;
  }
  return { text, end: at };
}

function readQuoted(line: string, start: number, quote: string): Word | undefined {
  let text = "";
  let at = start;
  while (at < line.length) {
    const char = line.charAt(at);
    if (char === quote) return { text, end: at + 1 };
    if (char === "\\" && quote === '"') {
      const hex = /^\\x([\da-f]{2})/i.exec(line.slice(at, at + 4));
      const next = line.charAt(at + 1);
      text += hex === null ? (ESCAPES[next] ?? next) : String.fromCharCode(Number.parseInt(hex[1] ?? "", 16));
      at += hex === null ? 2 : 4;
    } else if (char === "\\" && line.charAt(at + 1) === "'") {
      text += "'";
      at += 2;
    } else {
      text += char;
      at += 1;
    }
  }
  return undefined;
}
