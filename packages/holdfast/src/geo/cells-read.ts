/** The reply of `look.lua`: one flat list, since that costs the server the least. */
import type { MemberAt, Seen } from "./search/parts.ts";

export function cellsRead(flat: readonly string[], cells: number, withFields: boolean): Seen[] {
  let at = 0;
  const next = (): string => flat[at++]!;
  return Array.from({ length: cells }, () => {
    const [members, seen] = [Number(next()), Number(next())];
    if (members < 0) return { count: seen };
    const read = (): MemberAt => ({ member: next(), score: Number(next()), about: withFields ? next() : undefined });
    return { members: Array.from({ length: members }, read), seen };
  });
}
