export * from "../dist/cjs/adapters/express/index.js";
