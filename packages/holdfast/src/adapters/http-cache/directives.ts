/** `Cache-Control`, parsed leniently where a mistake makes a response stale, and never where it would make one fresh. */
export class Directives {
  readonly #values: ReadonlyMap<string, readonly (string | undefined)[]>;

  constructor(value: string | undefined) {
    const values = new Map<string, (string | undefined)[]>();
    // A token, and behind `=` a quoted string or whatever there is up to the comma.
    for (const [, name, quoted, plain] of (value ?? "").matchAll(
      /([^\s,="]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*)))?\s*(?:,|$)/g,
    )) {
      const key = name!.toLowerCase();
      values.set(key, [...(values.get(key) ?? []), quoted?.replaceAll(/\\(.)/g, "$1") ?? plain?.trim()]);
    }
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Whether it is there for all of the response, and not only for fields that it names. */
  hasWhole(name: string): boolean {
    return this.#values.get(name)?.some((value) => value === undefined || value === "") ?? false;
  }

  /** The fields that it names, in lower case. */
  fields(name: string): readonly string[] {
    const lists = this.#values.get(name) ?? [];
    return lists.flatMap((list) => (list ?? "").split(",").map((each) => each.trim().toLowerCase())).filter(Boolean);
  }

  /** Milliseconds, the shortest of several; 0 where it is not a number; undefined where it is not there. */
  ms(name: string): number | undefined {
    const values = this.#values.get(name);
    if (values === undefined) return undefined;
    return Math.min(...values.map((value) => (value !== undefined && /^\d+$/.test(value) ? toMs(value) : 0)));
  }
}

/** More seconds than 31 bits hold are as good as that (RFC 9111, 1.2.2). */
function toMs(seconds: string): number {
  return Math.min(Number(seconds), 2 ** 31) * 1_000;
}

/** `Age`: the first of several, and none where it is not a number. */
export function ageMs(value: string | undefined): number {
  const first = value?.split(",")[0]!.trim() ?? "";
  return /^\d+$/.test(first) ? toMs(first) : 0;
}
