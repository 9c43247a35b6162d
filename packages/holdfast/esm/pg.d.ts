export * from "../dist/cjs/adapters/pg/index.js";
