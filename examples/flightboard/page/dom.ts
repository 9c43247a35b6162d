/** Small helpers over the DOM. Text always goes in as text, never as markup. */
const SVG = "http://www.w3.org/2000/svg";

type Props = Readonly<Record<string, string | number | boolean | ((event: Event) => void)>>;
type Child = Node | string | undefined;

export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** An element with attributes; `onclick` and the like are listeners, `true` is an attribute without a value. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), props, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill<E extends Element>(element: E, props: Props, children: Child[]): E {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/**
 * Replaces what is in the container. The focus stays on its element where that is still there, else on the one with the
 * same `data-key`: nobody who goes by keyboard is thrown out by an update.
 */
export function replaceKeepingFocus(container: Element, children: readonly (Node | string)[]): void {
  const { activeElement } = document;
  const held = activeElement instanceof HTMLElement && container.contains(activeElement) ? activeElement : undefined;
  container.replaceChildren(...children);
  if (held === undefined) return;
  const same = container.querySelector<HTMLElement>(`[data-key="${CSS.escape(held.dataset["key"] ?? "")}"]`);
  (held.isConnected ? held : same)?.focus({ preventScroll: true });
}

/** Sets the text only when it changed, so that nothing is announced or laid out for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A colour of the style sheet, as the canvas needs it. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const whole = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export function count(value: number): string {
  return whole.format(value);
}

export function short(value: number): string {
  return compact.format(value);
}
