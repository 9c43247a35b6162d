/**
 * What a thread runs. As text, so that no bundler and no module system has to find a file of this library: `new Worker(text, { eval: true })`.
 * A handler is called with the arguments that came, and the signal in the last of them.
 * Answers are `{ value }` or `{ thrown: { name, message, stack, code, delayMs } }`.
 */
export const ENTRY = `
"use strict";
const { parentPort, workerData } = require("node:worker_threads");
const loaded = import(workerData.url).then((module) => {
  const handler = typeof module.default === "function" ? module.default : module.default?.default;
  if (typeof handler !== "function") throw new TypeError(workerData.url + ": its default export is not a function");
  return handler;
});
loaded.catch(() => undefined);
let controller = new AbortController();
async function run(args) {
  controller = new AbortController();
  const { signal } = controller;
  try {
    const handler = await loaded;
    parentPort.postMessage({ value: await handler(...args.slice(0, -1), { ...args.at(-1), signal }) });
  } catch (error) {
    const { name, message, stack, code, delayMs } = Object(error);
    const text = (value) => (typeof value === "string" ? value : undefined);
    const thrown = { name: text(name) ?? "Error", message: text(message) ?? String(error), stack: text(stack), code: text(code) };
    parentPort.postMessage({ thrown: { ...thrown, delayMs: typeof delayMs === "number" ? delayMs : undefined } });
  }
}
parentPort.on("message", ({ args, abort }) => {
  if (args !== undefined) void run(args);
  else controller.abort(Object.assign(new Error(abort), { name: "AbortError" }));
});
`;
