/**
 * What a command answers, before any wire format. A plain string is a bulk string, a number or bigint an integer, an
 * array an array; everything else is one of the classes below. `protocol/encode.ts` writes them for RESP2 and RESP3,
 * `scripting/` hands them to Lua, an in-process client receives them as they are.
 *
 * All strings are binary: one character (0..255) per byte.
 */
export type Reply = string | number | bigint | readonly Reply[] | TypedReply;

export type TypedReply =
  | Status
  | ErrorReply
  | Nil
  | MapReply
  | SetReply
  | Double
  | Bool
  | BigNumber
  | Verbatim
  | Push
  | Several;

export class Status {
  readonly kind = "status";
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** `message` is the whole line, its code first: `ERR syntax error`. */
export class ErrorReply {
  readonly kind = "error";
  readonly message: string;
  /** Passed on by a script, from a command whose failure the statistics have counted. */
  readonly counted: boolean;
  constructor(message: string, counted = false) {
    this.message = message;
    this.counted = counted;
  }
}

/** RESP2 knows two nils, a bulk and an array; RESP3 one. */
export class Nil {
  readonly kind: "nil" | "nil-array";
  constructor(kind: "nil" | "nil-array") {
    this.kind = kind;
  }
}

/** Keys and values in turn; a flat array in RESP2. */
export class MapReply {
  readonly kind = "map";
  readonly entries: readonly Reply[];
  constructor(entries: readonly Reply[]) {
    this.entries = entries;
  }
}

export class SetReply {
  readonly kind = "set";
  readonly items: readonly Reply[];
  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}

/** A bulk string in RESP2. `text` is for the few commands that print a double in another way than all others. */
export class Double {
  readonly kind = "double";
  readonly value: number;
  readonly text: string | undefined;
  constructor(value: number, text?: string) {
    this.value = value;
    this.text = text;
  }
}

/** 1 or 0 in RESP2. */
export class Bool {
  readonly kind = "boolean";
  readonly value: boolean;
  constructor(value: boolean) {
    this.value = value;
  }
}

/** Decimal digits; a bulk string in RESP2. */
export class BigNumber {
  readonly kind = "big-number";
  readonly digits: string;
  constructor(digits: string) {
    this.digits = digits;
  }
}

/** Text for people. `format` has three characters, such as `txt`; a bulk string in RESP2. */
export class Verbatim {
  readonly kind = "verbatim";
  readonly format: string;
  readonly text: string;
  constructor(format: string, text: string) {
    this.format = format;
    this.text = text;
  }
}

/** Out-of-band data; an array in RESP2. */
export class Push {
  readonly kind = "push";
  readonly items: readonly Reply[];
  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}

/** The answers of one command one after the other: SUBSCRIBE returns one per channel, CLIENT REPLY OFF none. */
export class Several {
  readonly kind = "several";
  readonly replies: readonly Reply[];
  constructor(replies: readonly Reply[]) {
    this.replies = replies;
  }
}

export const OK: Status = new Status("OK");
export const QUEUED: Status = new Status("QUEUED");
export const NIL: Nil = new Nil("nil");
export const NIL_ARRAY: Nil = new Nil("nil-array");
export const NO_REPLY: Several = new Several([]);

/** Returned by a command that waits for a key: its answer comes later through the session's outlet. */
export const BLOCKED: unique symbol = Symbol("blocked");
export type Blocked = typeof BLOCKED;
