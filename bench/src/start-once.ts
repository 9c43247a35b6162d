/** One start in a new process: the import of the package, a server, its first answers. Prints milliseconds as JSON. */
const began = performance.now();
const { createServer } = await import("holdfast-embedded");
const imported = performance.now();
const server = createServer();
await new Promise((resolve) => server.connectInProcess().send(["PING"], resolve));
const answered = performance.now();
await server.listen();
const listening = performance.now();
console.log(JSON.stringify({ import: imported - began, answer: answered - imported, listen: listening - answered }));
