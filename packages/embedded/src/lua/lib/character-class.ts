/** Classes of characters in the C locale: bytes from 128 on belong to none. */

/** `%a` and the like, in the C locale; a capital letter negates. */
export function isInClass(code: number, letter: number): boolean {
  const lower = letter | 0x20;
  const isLetter = lower >= 0x61 && lower <= 0x7a;
  const result = isLetter ? inNamedClass(code, String.fromCharCode(lower)) : undefined;
  if (result === undefined) return letter === code;
  return letter === lower ? result : !result;
}

function inNamedClass(code: number, name: string): boolean | undefined {
  switch (name) {
    case "a":
      return isAlphabetic(code);
    case "c":
      return code < 0x20 || code === 0x7f;
    case "d":
      return isDigit(code);
    case "l":
      return code >= 0x61 && code <= 0x7a;
    case "p":
      return code > 0x20 && code < 0x7f && !isAlphabetic(code) && !isDigit(code);
    case "s":
      return code === 0x20 || (code >= 0x09 && code <= 0x0d);
    case "u":
      return code >= 0x41 && code <= 0x5a;
    case "w":
      return isAlphabetic(code) || isDigit(code);
    case "x":
      return isDigit(code) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66);
    case "z":
      return code === 0;
    default:
      return undefined;
  }
}

function isAlphabetic(code: number): boolean {
  const lower = code | 0x20;
  return code < 0x80 && lower >= 0x61 && lower <= 0x7a;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
