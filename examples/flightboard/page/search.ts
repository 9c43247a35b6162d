/** Search by tags: all of these, none of those, with a flight to there. */
import { ask } from "./api.ts";
import { byId, h } from "./dom.ts";
import { chips } from "./spotlight.ts";

const TAGS: readonly (readonly [tag: string, label: string])[] = [
  ["hub", "hub"],
  ["long-haul", "long-haul"],
  ["very-late", "had a delay over 2 h"],
];

export function createSearch(select: (code: string) => void): void {
  const form = byId("search");
  const state = h("input", { id: "in-state", maxlength: 2, placeholder: "CA", autocomplete: "off", size: 3 });
  const to = h("input", { id: "flies-to", maxlength: 3, placeholder: "ATL", autocomplete: "off", size: 4 });
  const toggles = TAGS.map(([tag, label]) => {
    const choice = h("select", { id: `tag-${tag}` }, option("", "any"), option("all", "yes"), option("not", "no"));
    return { tag, choice, field: h("label", {}, h("span", {}, label), choice) };
  });
  form.append(
    h("label", {}, h("span", {}, "state"), state),
    h("label", {}, h("span", {}, "flies to"), to),
    ...toggles.map(({ field }) => field),
    h("button", { type: "submit" }, "Find"),
  );
  const chosen = (kind: string): string[] =>
    toggles.filter(({ choice }) => choice.value === kind).map(({ tag }) => tag);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const all = chosen("all");
    if (state.value !== "") all.push(`state:${state.value.toUpperCase()}`);
    void find(all, chosen("not"), to.value.toUpperCase(), select);
  });
}

async function find(
  all: readonly string[],
  not: readonly string[],
  to: string,
  select: (code: string) => void,
): Promise<void> {
  if (all.length === 0 && to === "")
    return show(h("p", { class: "muted" }, "Say one thing that the airport should be."));
  const query = new URLSearchParams({ all: all.join(","), not: not.join(","), to });
  const { body, title } = await ask<{ items: string[] }>(`/api/search?${query}`);
  if (body?.items === undefined) return show(h("p", { class: "muted" }, title));
  if (body.items.length === 0) return show(h("p", { class: "muted" }, "No such airport so far."));
  const codes = body.items.toSorted();
  show(
    h("p", { class: "muted" }, `${codes.length} found`),
    chips(
      codes.map((code) => [code, ""] as const),
      select,
    ),
  );
}

function option(value: string, text: string): HTMLOptionElement {
  return h("option", { value }, text);
}

function show(...nodes: Node[]): void {
  byId("found").replaceChildren(...nodes);
}
