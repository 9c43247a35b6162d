/**
 * Redis's glob patterns (`stringmatchlen`): `*`, `?`, `[a-z]`, `[^x]`, `\x`. Backtracks to the last star only, so the cost is
 * bounded by length of pattern times length of text.
 */
const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const CLOSE = 93;
const CARET = 94;
const BACKSLASH = 92;
const DASH = 45;
/** Redis gives up on a pattern with more (its matcher recurses once for each), and finds no match. */
const MAX_STARS = 1000;

export function matches(pattern: string, text: string, ignoreCase = false): boolean {
  return ignoreCase ? match(pattern.toLowerCase(), text.toLowerCase()) : match(pattern, text);
}

function match(pattern: string, text: string): boolean {
  // Redis's loop never begins on an empty text, so that even stars are left over.
  if (text === "") return pattern === "";
  let p = 0;
  let t = 0;
  let starPattern = -1;
  let starText = 0;
  let stars = 0;
  while (t < text.length) {
    if (pattern.charCodeAt(p) === STAR) {
      if (++stars > MAX_STARS) return false;
      while (pattern.charCodeAt(p) === STAR) p += 1;
      if (p === pattern.length) return true;
      starPattern = p;
      starText = t;
      continue;
    }
    const next = p < pattern.length ? step(pattern, p, text.charCodeAt(t)) : -1;
    if (next !== -1) {
      p = next;
      t += 1;
    } else if (starPattern !== -1) {
      p = starPattern;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (pattern.charCodeAt(p) === STAR) p += 1;
  return p >= pattern.length;
}

/** Where the pattern goes on when its element at `p` takes `code`, or -1. */
function step(pattern: string, p: number, code: number): number {
  const element = pattern.charCodeAt(p);
  if (element === QUESTION) return p + 1;
  if (element === OPEN) return stepClass(pattern, p + 1, code);
  const literal = element === BACKSLASH && p + 1 < pattern.length ? p + 1 : p;
  return pattern.charCodeAt(literal) === code ? literal + 1 : -1;
}

/** An unclosed class ends with the pattern. */
function stepClass(pattern: string, start: number, code: number): number {
  let p = start;
  const negated = pattern.charCodeAt(p) === CARET;
  if (negated) p += 1;
  let found = false;
  for (; p < pattern.length && pattern.charCodeAt(p) !== CLOSE; p += 1) {
    const element = pattern.charCodeAt(p);
    if (element === BACKSLASH && p + 1 < pattern.length) {
      p += 1;
      if (pattern.charCodeAt(p) === code) found = true;
    } else if (pattern.charCodeAt(p + 1) === DASH && p + 2 < pattern.length) {
      const end = pattern.charCodeAt(p + 2);
      if (code >= Math.min(element, end) && code <= Math.max(element, end)) found = true;
      p += 2;
    } else if (element === code) {
      found = true;
    }
  }
  if (found === negated) return -1;
  return Math.min(p + 1, pattern.length);
}
