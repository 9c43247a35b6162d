/**
 * Whether a value comes back as it was: one walk before it is written, which finds what the serializer would change
 * without a word (a Date becomes a string, a Map `{}`, NaN null) and says where.
 *
 * Two things are let through, because no program notices: a property that is undefined disappears, and -0 becomes 0.
 */
import { type Bounds, Unstorable } from "./format.ts";

/** Whether the serializer has a form of its own for a value that JSON would change. */
export type Keeps = (value: unknown) => boolean;

/** Collected on the way back up: a walk that finds nothing builds no path. */
interface Fault {
  readonly what: string;
  readonly path: string[];
}

const MAX_PATH_LENGTH = 200;
const NAME = /^[A-Za-z_$][\w$]*$/;

/** Items that the value being walked may still have. The walk runs no user code that could encode meanwhile but getters. */
let left = 0;

/** @throws Unstorable */
export function requireFaithful(value: unknown, bounds: Bounds, keeps: Keeps, serializer: string): void {
  const before = left;
  left = bounds.maxItems;
  try {
    const found = walk(value, bounds.maxDepth, keeps);
    if (found !== undefined) throw unstorable(found, bounds, serializer);
  } finally {
    left = before;
  }
}

function walk(value: unknown, depth: number, keeps: Keeps): Fault | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) || keeps(value) ? undefined : fault(String(value));
    case "object":
      if (value === null) return undefined;
      return Array.isArray(value) ? walkArray(value, depth, keeps) : walkObject(value, depth, keeps);
    case "undefined":
      return fault("undefined");
    default:
      return keeps(value) ? undefined : fault(`a ${typeof value}`);
  }
}

function walkArray(items: readonly unknown[], depth: number, keeps: Keeps): Fault | undefined {
  left -= items.length === 0 ? 1 : items.length;
  if (left < 0) return fault(TOO_MANY);
  if (depth === 0) return fault(TOO_DEEP);
  for (let at = 0; at < items.length; at += 1) {
    const found = walk(items[at], depth - 1, keeps);
    if (found !== undefined) return below(found, `[${at}]`);
  }
  return undefined;
}

function walkObject(value: object, depth: number, keeps: Keeps): Fault | undefined {
  if (!isPlain(value)) return keeps(value) ? undefined : fault(`a ${value.constructor?.name || "class instance"}`);
  if (depth === 0) return fault(TOO_DEEP);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return fault("an object with its own toJSON");
  left -= 1;
  // The fastest way through a plain object: its prototype has nothing to enumerate.
  // oxlint-disable-next-line eslint/guard-for-in
  for (const name in value) {
    left -= 1;
    if (left < 0) return fault(TOO_MANY);
    const property = (value as Record<string, unknown>)[name];
    const found = property === undefined ? undefined : walk(property, depth - 1, keeps);
    if (found !== undefined) return below(found, NAME.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`);
  }
  return undefined;
}

/** Also of another realm, whose Object.prototype is not ours. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

const TOO_MANY = "too many items";
const TOO_DEEP = "too deep a nesting";

function fault(what: string): Fault {
  return { what, path: [] };
}

function below(found: Fault, segment: string): Fault {
  found.path.push(segment);
  return found;
}

function unstorable({ what, path }: Fault, { maxItems, maxDepth }: Bounds, serializer: string): Unstorable {
  if (what === TOO_MANY) return new Unstorable(`it has more than ${maxItems} items (option maxItems)`);
  if (what === TOO_DEEP) {
    return new Unstorable(`it is nested deeper than ${maxDepth}, or refers to itself (option maxDepth)`);
  }
  const full = path.toReversed().join("").replace(/^\./, "");
  const where = full.length > MAX_PATH_LENGTH ? `${full.slice(0, MAX_PATH_LENGTH)}…` : full;
  return new Unstorable(`${serializer} would change ${what} at ${where === "" ? "the top" : where}`, true);
}
