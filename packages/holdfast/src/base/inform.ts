/**
 * Tells a user's function something whose end nobody waits for. What it throws, at once or later, goes to `onFailure`: an async
 * function that rejects would else be an unhandled rejection, which ends the process.
 */
export function inform(tell: () => unknown, onFailure: (error: unknown) => void = () => undefined): void {
  try {
    const returned = tell();
    if (returned instanceof Promise) returned.catch(onFailure);
  } catch (error) {
    onFailure(error);
  }
}
