/** What happened, newest on top. */
import { byId, h } from "./dom.ts";

const LINES = 7;

export function note(text: string): void {
  const list = byId("history");
  const time = new Date().toTimeString().slice(0, 8);
  list.prepend(h("li", {}, h("time", {}, time), " ", text));
  while (list.children.length > LINES) list.lastElementChild?.remove();
}
