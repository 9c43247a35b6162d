export * from "../dist/cjs/queue/outbox/index.js";
