#!/usr/bin/env node
/**
 * Checks that imports point down the floors of each package (docs/architecture.md) and that no files import each other in a circle.
 * Type-only imports count: whoever reads one file of a circle has to read them all. Tests may import whatever they like.
 *
 *     node scripts/check-imports.mjs [root]
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Floors, bottom first. A name is a folder or a file below `folder`; those on one floor do not import each other. `*` is every folder that is not named. `inside` are the floors within a folder. `cores` are the folders whose
 * files may form circles. `packages` are
 * packages of ours (`..`: whatever lies outside the house), and the folders that may import them.
 */
const HOUSES = [
  {
    folder: "packages/holdfast/src",
    floors: [
      ["base"],
      ["driver"],
      ["core"],
      ["*"],
      ["holdfast.ts"],
      ["connect.ts"],
      ["index.ts", "testing", "migrate", "adapters"],
    ],
    inside: {
      driver: [["port.ts"], ["slot.ts", "resilience"], ["connection"], ["node-redis"], ["embedded"]],
      core: [
        ["hash", "earth", "keyspace", "codec", "observe", "retry", "threads", "window"],
        ["script", "command"],
        ["batch", "clock", "update", "wait"],
        ["lease", "log"],
        ["core.ts"],
      ],
    },
    packages: { "..": [], holdfast: [], "holdfast-embedded": ["driver/embedded", "testing"] },
    cores: [],
  },
  {
    folder: "packages/embedded/src",
    floors: [
      ["structures"],
      ["base"],
      ["config", "protocol", "geo", "lua"],
      ["values"],
      ["hyperloglog", "engine"],
      ["commands", "net", "persistence"],
      ["server.ts"],
      ["index.ts"],
      ["testing"],
    ],
    inside: {
      lua: [
        ["host.ts"],
        ["runtime"],
        ["syntax"],
        ["compile"],
        ["reply-from-host.ts", "reply-to-host.ts"],
        ["lib"],
      ].concat([["invocation.ts"], ["engine.ts", "function-engine.ts"], ["testing"]]),
    },
    packages: { "..": ["testing"], holdfast: [], "holdfast-embedded": [] },
    cores: ["engine", "lua/runtime"],
  },
];

/** Every violation, one line each. */
export function violations(root, houses = HOUSES) {
  return houses.flatMap((house) => {
    const imports = readImports(path.join(root, house.folder));
    const graph = new Map(
      [...imports].map(([file, targets]) => [file, targets.filter((target) => imports.has(target))]),
    );
    const found = [
      ...homeless(house, graph),
      ...outward(house, imports),
      ...upward(house, graph),
      ...circles(house, graph),
    ];
    return found.map((text) => `${house.folder}: ${text}`);
  });
}

/** Of each file below a folder, tests aside, what it imports: files by their path from that folder, packages by their name. */
function readImports(folder) {
  const files = readdirSync(folder, { recursive: true })
    .map((file) => file.replaceAll(path.sep, "/"))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  return new Map(files.map((file) => [file, importsOf(folder, file)]));
}

function importsOf(folder, file) {
  const text = readFileSync(path.join(folder, file), "utf8").replaceAll(/^\s*(?:\/\/|\*).*$/gm, "");
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g);
  return [...found].map(([, target]) =>
    target.startsWith(".") ? path.posix.join(path.posix.dirname(file), target) : target,
  );
}

/** Files that stand on no floor. */
function homeless({ floors, inside = {} }, graph) {
  return [...graph.keys()]
    .filter((file) => {
      const [folder, ...rest] = file.split("/");
      const inner = inside[folder];
      return (
        placeOf(floors, file) === undefined || (inner !== undefined && placeOf(inner, rest.join("/")) === undefined)
      );
    })
    .map((file) => `${file} is on no floor`);
}

/** Imports of another package, by its name or by a path, where it must not be known. */
function outward({ packages = {} }, imports) {
  const found = [];
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const allowed = packages[target.startsWith("..") ? ".." : target];
      if (allowed !== undefined && !allowed.some((folder) => file.startsWith(`${folder}/`))) {
        found.push(`${file} imports ${target}: it is another package`);
      }
    }
  }
  return found;
}

function upward({ floors, inside = {} }, graph) {
  const found = [];
  for (const [file, targets] of graph) {
    for (const target of targets) {
      const problem = arrow(floors, file, target) ?? innerArrow(inside, file, target);
      if (problem !== undefined) found.push(`${file} imports ${target}: ${problem}`);
    }
  }
  return found;
}

function innerArrow(inside, file, target) {
  const folder = file.split("/")[0];
  const floors = inside[folder];
  if (floors === undefined || !target.startsWith(`${folder}/`)) return undefined;
  return arrow(floors, file.slice(folder.length + 1), target.slice(folder.length + 1));
}

/** What is wrong with an import, if anything. */
function arrow(floors, file, target) {
  const [from, to] = [placeOf(floors, file), placeOf(floors, target)];
  if (from === undefined || to === undefined) return undefined;
  if (from.name === to.name || from.floor > to.floor) return undefined;
  return from.floor === to.floor ? "they are on one floor" : "it is on a floor above";
}

/** The floor, and the folder or file that stands on it. */
function placeOf(floors, file) {
  const [name] = file.split("/");
  for (const [floor, entries] of floors.entries()) {
    if (entries.includes(name)) return { floor, name };
  }
  const floor = floors.findIndex((entries) => entries.includes("*"));
  return floor === -1 || name === file ? undefined : { floor, name };
}

/** Each circle that does not lie within a core. */
function circles({ cores }, graph) {
  return components(graph)
    .filter((files) => files.length > 1 || graph.get(files[0]).includes(files[0]))
    .filter((files) => !cores.some((core) => files.every((file) => file.startsWith(`${core}/`))))
    .map((files) => `a circle of ${files.length}: ${files.toSorted().join(", ")}`);
}

/** Strongly connected components (Tarjan 1972). */
function components(graph) {
  const found = [];
  const order = new Map();
  const lowest = new Map();
  const stack = [];
  function visit(file) {
    order.set(file, order.size);
    lowest.set(file, order.get(file));
    stack.push(file);
    for (const target of graph.get(file)) {
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) lowest.set(file, Math.min(lowest.get(file), lowest.get(target)));
    }
    if (lowest.get(file) === order.get(file)) found.push(stack.splice(stack.indexOf(file)));
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
  const found = violations(
    root,
    HOUSES.filter(({ folder }) => existsSync(path.join(root, folder))),
  );
  for (const line of found) console.error(line);
  if (found.length > 0) process.exitCode = 1;
}
