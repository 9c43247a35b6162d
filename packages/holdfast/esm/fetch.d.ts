export * from "../dist/cjs/adapters/fetch/index.js";
