export * from "../dist/cjs/adapters/hono/index.js";
