/** The way in for `import`; see index.js. */
export * from "../dist/cjs/adapters/openfeature/index.js";
