/**
 * Before a package is packed: files which stand at the root and which npm wants in the package, named as arguments.
 * Links of a Markdown file that lead into the repository become absolute, for on npm there is nothing beside it.
 */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const { repository } = JSON.parse(readFileSync("package.json", "utf8"));
const pages = `${repository.url.replace(/^git\+|\.git$/g, "")}/blob/main/`;

for (const name of process.argv.slice(2)) {
  const [from, to] = [path.join(root, name), path.join(process.cwd(), name)];
  if (!name.endsWith(".md")) copyFileSync(from, to);
  else writeFileSync(to, readFileSync(from, "utf8").replaceAll(/\]\((?!https?:|#)/g, `](${pages}`));
}
