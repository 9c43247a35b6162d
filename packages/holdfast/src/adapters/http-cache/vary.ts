/** Which request fields select one of a URL's responses. */
import { createHash } from "node:crypto";
import { field, type Fields } from "./headers.ts";

/** In lower case, sorted, each once; `*` where no request is sure to select it. */
export function varyNames(fields: Fields): readonly string[] | "*" {
  const names = (field(fields, "vary") ?? "").split(",").map((name) => name.trim().toLowerCase());
  if (names.includes("*")) return "*";
  return [...new Set(names.filter(Boolean))].toSorted();
}

/** A text that is the same for requests which are alike in these fields, as far as spaces go. */
export function variantOf(names: readonly string[], header: (name: string) => string | undefined): string {
  const values = names.map((name) => [
    name,
    header(name)
      ?.trim()
      .replaceAll(/\s*,\s*/g, ",") ?? null,
  ]);
  return createHash("sha256").update(JSON.stringify(values)).digest("base64url").slice(0, 22);
}
