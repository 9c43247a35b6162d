/** The way in for `import`; see index.js. */
export * from "../dist/cjs/queue/outbox/index.js";
