/** Deeper values are not looked through: those that refer to themselves have no end. */
const MAX_DEPTH = 64;

/** Whether a value was frozen, with all that is in it. What holds state that freezing does not reach (dates, maps, buffers) is left as it is. */
export function frozen(value: unknown): boolean {
  if (!isPlain(value, 0)) return false;
  freeze(value);
  return true;
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return typeof value !== "function";
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((element) => isPlain(element, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((field) => isPlain(field, depth + 1));
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const field of Object.values(value)) freeze(field);
  Object.freeze(value);
}
