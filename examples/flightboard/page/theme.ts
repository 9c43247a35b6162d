/** Light or dark: as the system says, until the visitor chooses; the choice is kept in this browser. */
import { byId } from "./dom.ts";

const STORE = "flightboard-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function startTheme(changed: () => void): void {
  const chosen = localStorage.getItem(STORE);
  if (chosen !== null) document.documentElement.dataset["theme"] = chosen;
  system.addEventListener("change", changed);
  byId("theme").addEventListener("click", () => {
    const next = current() === "dark" ? "light" : "dark";
    document.documentElement.dataset["theme"] = next;
    localStorage.setItem(STORE, next);
    changed();
  });
}

function current(): string {
  return document.documentElement.dataset["theme"] ?? (system.matches ? "dark" : "light");
}
