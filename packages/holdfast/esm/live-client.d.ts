export * from "../dist/cjs/adapters/live-client/index.js";
