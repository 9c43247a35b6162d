/** Waits that end by themselves while a scenario runs. The rest wait for ever, or much longer than a scenario takes. */

/** Seconds, and milliseconds, of a wait that the next step waits for. */
export const SHORT_SECONDS = "0.01";
export const SHORT_MILLISECONDS = "10";

export function isShortWait(line: readonly string[]): boolean {
  const name = line[0]?.toUpperCase() ?? "";
  if (name.startsWith("XREAD"))
    return line.some((word, i) => /^BLOCK$/i.test(line[i - 1] ?? "") && isBrief(word, 1000));
  return /^B[LRZ]/.test(name) && line.some((word) => /^0\.\d+$/.test(word) && isBrief(word, 1));
}

/** Whether its client may wait until others do something. */
export function mayWait(line: readonly string[]): boolean {
  const name = line[0]?.toUpperCase() ?? "";
  const blocks = /^B[LRZ]/.test(name) || (name.startsWith("XREAD") && line.some((word) => /^BLOCK$/i.test(word)));
  return blocks && !isShortWait(line);
}

function isBrief(word: string, limit: number): boolean {
  return Number(word) > 0 && Number(word) < limit;
}
