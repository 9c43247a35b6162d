import { HoldfastError } from "../../base/errors.ts";

/** A transaction is committed, and what is cached of its tables could not be invalidated: other processes may serve results from before it, until this one has reached the server again. */
export class NotInvalidatedError<T = unknown> extends HoldfastError {
  override readonly name: string = "NotInvalidatedError";
  /** What the transaction's function returned. */
  readonly value: T;
  /** For `queries.invalidate({ tags })`, where the option `autoRecovery` is off, or to know that it is done. */
  readonly tags: readonly string[];

  constructor(where: string, tags: readonly string[], value: T, cause: unknown) {
    const message = `${where}: the write is committed, but the results of its tables could not be invalidated yet; do not write again: they will be when the server is back, or call invalidate({ tags })`;
    super("PARTIAL", message, { op: "queries.write", cause });
    this.value = value;
    this.tags = tags;
  }
}
