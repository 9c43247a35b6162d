import type { Placeholders } from "../grammar.ts";

export const sortPlaceholders: Placeholders = {
  pattern: (random) => random.pick(["*", "w_*", "h->*", "h*->f", "#", "*->", "none_*"]),
  integer: (random) => `${random.chance(0.05) ? random.pick(["x", "9223372036854775807"]) : random.integer(-2, 6)}`,
};

/** Without ALPHA beside BY: elements whose weights are equal have no order then. */
export const sortSyntax: readonly string[] = [
  "SORT key [LIMIT integer integer] [GET pattern] [ASC|DESC] [ALPHA]",
  "SORT key [GET #] [GET pattern] [DESC] ALPHA",
  "SORT key BY pattern [LIMIT integer integer] [GET pattern] [GET pattern] [ASC|DESC] [STORE key]",
  "SORT key [ALPHA] [DESC] STORE key",
  "SORT key BY NOSORT [GET pattern] [ASC|DESC]",
  "SORT_RO key [BY pattern] [LIMIT integer integer] [DESC]",
];
