export * from "../dist/cjs/adapters/openfeature/index.js";
