// What could go wrong, and the test for each:
// - a package says that it lives where another does, or nowhere ... "each package names the repository, and its place in it"
// - a link was never filled in .................................... "no link is a placeholder"
// - a page was moved, or a heading renamed ........................ "links inside the repository lead somewhere"
// Whether the repository's address answers is not asked, as tests need no network.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (file) => readFileSync(path.join(ROOT, file), "utf8");
const SKIPPED = new Set(["node_modules", "dist"]);

function filesIn(folder, isWanted) {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (!entry.isDirectory()) return isWanted(entry.name) ? [file] : [];
    return SKIPPED.has(entry.name) || entry.name.startsWith(".") ? [] : filesIn(file, isWanted);
  });
}

const pages = filesIn("", (name) => name.endsWith(".md"));
const published = readdirSync(path.join(ROOT, "packages")).map((name) => `packages/${name}/package.json`);
const { repository } = JSON.parse(read("packages/holdfast/package.json"));
const home = repository.url.replace(/^git\+|\.git$/g, "");

/** `example.com` and its kin are names for texts (RFC 2606), and so are these. */
const PLACEHOLDER =
  /\bexample\.(com|org|net)\b|<[a-z-]+>|\b(your|my)[-_]?(org|name|user|repo)\b|\bTODO\b|\/(OWNER|USER)\//i;

const linksOf = (page) => {
  const text = read(page).replaceAll(/```.*?```|`[^`\n]*`/gs, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
};

/** As GitHub makes it. */
const anchorOf = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (page) => [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading));

describe("links", () => {
  it.each(published)("each package names the repository, and its place in it: %s", (file) => {
    const found = JSON.parse(read(file));
    expect(home).toMatch(/^https:\/\/github\.com\/[\w-]+\/[\w.-]+$/);
    expect(found.repository).toEqual({ type: "git", url: `git+${home}.git`, directory: path.dirname(file) });
    expect(found.homepage).toBe(`${home}#readme`);
    expect(found.bugs).toEqual({ url: `${home}/issues` });
  });

  it("no link is a placeholder", () => {
    const inPages = pages.flatMap((page) => linksOf(page).map((link) => `${page}: ${link}`));
    const inPackages = published.flatMap((file) => read(file).match(/https?:[^"]+/g) ?? []);
    expect(inPages.length).toBeGreaterThan(50);
    expect([...inPages, ...inPackages].filter((link) => PLACEHOLDER.test(link))).toEqual([]);
  });

  it("links inside the repository lead somewhere", () => {
    const broken = pages.flatMap((page) =>
      linksOf(page)
        .filter((link) => !/^[a-z]+:/.test(link))
        .filter((link) => {
          const [target, anchor] = link.split("#");
          const file = target === "" ? page : path.join(path.dirname(page), target);
          if (!existsSync(path.join(ROOT, file))) return true;
          return anchor !== undefined && file.endsWith(".md") && !anchorsOf(file).includes(anchor);
        })
        .map((link) => `${page}: ${link}`),
    );
    expect(broken).toEqual([]);
  });
});
