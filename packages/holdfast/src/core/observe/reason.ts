/** What may be shown of somebody else's error. */
const WORD = /^[\w.$-]{1,40}$/;

/** The error's name and code, where they look like such. */
export function reasonOf(error: unknown): string {
  try {
    const { name, code } = Object(error) as { readonly name?: unknown; readonly code?: unknown };
    const shown = typeof name === "string" && WORD.test(name) ? name : "Error";
    const isCode = (typeof code === "string" || typeof code === "number") && WORD.test(String(code));
    return isCode ? `${shown} ${code}` : shown;
  } catch {
    return "Error";
  }
}
