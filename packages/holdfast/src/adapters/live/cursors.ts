/** Where each subscription of a connection has got to, as the one text that `Last-Event-ID` has room for. */

/** Of what has no history: whoever comes back with it has missed what nobody counted. */
export const NO_HISTORY = "-";

/** Of all that sources give: nothing that would end a line of an event. */
const CURSOR = /^[\w.-]+$/;

export function cursorsText(cursors: ReadonlyMap<string, string>): string {
  let text = "";
  for (const [subscription, cursor] of cursors)
    text += `${text === "" ? "" : "&"}${encodeURIComponent(subscription)}=${cursor}`;
  return text;
}

/** What is no cursor is left out: then the subscription begins as a new one does. */
export function parseCursors(text: string | undefined): Map<string, string> {
  const cursors = new Map<string, string>();
  for (const [subscription, cursor] of new URLSearchParams(text ?? ""))
    if (CURSOR.test(cursor)) cursors.set(subscription, cursor);
  return cursors;
}
