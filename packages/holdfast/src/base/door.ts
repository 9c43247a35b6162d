/**
 * Tells whether code runs inside a function of the user's: a handler that closes what waits for handlers, a loader that asks for what it loads,
 * would wait for itself.
 *
 * The function is called through a door, an async function with a name of its own; whether the present code came in by it is read from V8's
 * async stack. That costs nothing until it is asked, where AsyncLocalStorage doubles the cost of every promise in the process (Node 20).
 * What is not awaited by the function (a timer's callback, an event's) is not inside, and need not be: the function can end without it.
 */

let count = 0;

export class Door {
  readonly #name: string;
  readonly #outer: Door | undefined;
  #open = 0;

  /** Calls `body`, which is inside until what it returns has settled. */
  readonly enter: <R>(body: () => R | Promise<R>) => Promise<R>;

  /** As `enter`, with arguments; what `body` returns at once is returned at once, without a promise. */
  readonly call: <A, B, R>(body: (a: A, b: B) => R | Promise<R>, a: A, b: B) => R | Promise<R>;

  /** @param outer who came in by this door is inside that one too */
  constructor(outer?: Door) {
    count += 1;
    this.#name = `${outer === undefined ? "holdfast:" : outer.#name}${count}:`;
    this.#outer = outer;
    this.enter = async (body) => {
      this.#count(1);
      try {
        return await body();
      } finally {
        this.#count(-1);
      }
    };
    const ended = async <R>(returned: PromiseLike<R>): Promise<R> => {
      try {
        return await returned;
      } finally {
        this.#count(-1);
      }
    };
    this.call = (body, a, b) => {
      this.#count(1);
      let isOver = true;
      try {
        const returned = body(a, b);
        if (!isThenable(returned)) return returned;
        isOver = false;
        return ended(returned);
      } finally {
        if (isOver) this.#count(-1);
      }
    };
    for (const each of [this.enter, this.call, ended]) Object.defineProperty(each, "name", { value: this.#name });
  }

  /** Whether anybody is inside. */
  get isOpen(): boolean {
    return this.#open > 0;
  }

  /** Whether the code that asks is inside. */
  get isCaller(): boolean {
    return this.isOpen && functionsOnStack().some((name) => name?.startsWith(this.#name) === true);
  }

  /** The end of what waits for those inside: `ended`, or nothing for one of them, who would wait for himself. */
  waiting(ended: Promise<void>): Promise<void> {
    if (!this.isCaller) return ended;
    ended.catch(() => undefined);
    return Promise.resolve();
  }

  #count(by: 1 | -1): void {
    this.#open += by;
    if (this.#outer !== undefined) this.#outer.#count(by);
  }
}

/** Doors by the keys of what is done inside. */
export class Doors {
  readonly #doors = new Map<string, Set<Door>>();

  async enter<R>(keys: readonly string[], body: () => R | Promise<R>): Promise<R> {
    const door = new Door();
    for (const key of keys) this.#doors.set(key, (this.#doors.get(key) ?? new Set()).add(door));
    try {
      return await door.enter(body);
    } finally {
      for (const key of keys) this.#leave(key, door);
    }
  }

  /** Whether the code that asks is inside a door of that key. */
  isCaller(key: string): boolean {
    // A key that was put together would be made one text for the look-up.
    if (this.#doors.size === 0) return false;
    for (const door of this.#doors.get(key) ?? []) if (door.isCaller) return true;
    return false;
  }

  #leave(key: string, door: Door): void {
    const doors = this.#doors.get(key);
    doors?.delete(door);
    if (doors?.size === 0) this.#doors.delete(key);
  }
}

export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/** Names of the functions that wait for the present code, the innermost first. */
function functionsOnStack(): readonly (string | null)[] {
  // With frozen intrinsics nobody is known to be inside.
  if (!Object.isExtensible(Error)) return [];
  const { stackTraceLimit } = Error;
  const before = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  try {
    Error.stackTraceLimit = Infinity;
    Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getFunctionName());
    const { stack } = new Error("where") as { stack?: unknown };
    return Array.isArray(stack) ? stack : [];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (before === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Object.defineProperty(Error, "prepareStackTrace", before);
  }
}
