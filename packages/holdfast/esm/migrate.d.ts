export * from "../dist/cjs/migrate/index.js";
