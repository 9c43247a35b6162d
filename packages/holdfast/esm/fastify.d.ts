export * from "../dist/cjs/adapters/fastify/index.js";
