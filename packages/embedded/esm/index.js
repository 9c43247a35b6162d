/** The way in for `import`. The library itself is CommonJS, so that both ways in share one state; see docs/architecture.md. */
export * from "../dist/cjs/index.js";
