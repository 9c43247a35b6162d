/** The way in for `import`; see index.js. */
export * from "../dist/cjs/migrate/index.js";
