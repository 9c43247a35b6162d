/** A mistake in a `.lua` file, told with the place where it is. */
export class ScriptError extends Error {
  /**
   * @param {string} file
   * @param {number} line counted from 1
   * @param {string} message
   */
  constructor(file, line, message) {
    super(`${file}:${line}: ${message}`);
    this.name = "ScriptError";
  }
}
