/**
 * The process's own time and timers, as they were when this module was loaded: a test that fakes them afterwards freezes its own code,
 * and not a server that runs on the real clock. Nothing else in this package uses the globals.
 */
export interface System {
  readonly clearImmediate: typeof globalThis.clearImmediate;
  readonly clearInterval: typeof globalThis.clearInterval;
  readonly clearTimeout: typeof globalThis.clearTimeout;
  readonly queueMicrotask: typeof globalThis.queueMicrotask;
  readonly setImmediate: typeof globalThis.setImmediate;
  readonly setInterval: typeof globalThis.setInterval;
  readonly setTimeout: typeof globalThis.setTimeout;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Milliseconds, never falling. */
  readonly monotonicMs: () => number;
}

export const system: System = {
  clearImmediate: globalThis.clearImmediate,
  clearInterval: globalThis.clearInterval,
  clearTimeout: globalThis.clearTimeout,
  queueMicrotask: globalThis.queueMicrotask,
  setImmediate: globalThis.setImmediate,
  setInterval: globalThis.setInterval,
  setTimeout: globalThis.setTimeout,
  nowMs: globalThis.Date.now,
  monotonicMs: globalThis.performance.now.bind(globalThis.performance),
};
