/**
 * Which scripts the server behind a connection has been sent.
 *
 * The first call of a script goes as EVAL, which loads it, and not as EVALSHA with EVAL to follow on NOSCRIPT: the
 * calls made after it in the same tick would otherwise be executed before it.
 */
export class LoadedScripts {
  readonly #byConnection: WeakMap<object, Set<string>> = new WeakMap();

  /**
   * Whether EVALSHA will do on this connection; after the first question it will, as the asker sends the source. A server
   * that was flushed since answers NOSCRIPT, and `forget` starts again.
   */
  claim(connection: object | undefined, sha1: string): boolean {
    if (connection === undefined) return true;
    const loaded = this.#byConnection.get(connection);
    if (loaded === undefined) {
      this.#byConnection.set(connection, new Set([sha1]));
      return false;
    }
    if (loaded.has(sha1)) return true;
    loaded.add(sha1);
    return false;
  }

  forget(connection: object | undefined): void {
    if (connection !== undefined) this.#byConnection.delete(connection);
  }
}
