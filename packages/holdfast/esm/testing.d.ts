export * from "../dist/cjs/testing/index.js";
