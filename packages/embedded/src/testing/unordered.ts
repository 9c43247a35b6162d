/** Replies whose elements have no order, made comparable. */

const HEADER = /^(?:\*2\r\n\$\d+\r\n\d+\r\n)?[*~%]\d+\r\n/;

/**
 * An array, set or map of bulk strings, or that of a SCAN after its cursor, with its elements in ascending order, `group` of them at
 * a time; other replies as they are.
 */
export function sorted(reply: string, group = 1): string {
  const header = HEADER.exec(reply)?.[0];
  if (header === undefined) return reply;
  const items = bulkStrings(reply.slice(header.length));
  if (items === undefined) return reply;
  const groups: string[] = [];
  for (let i = 0; i < items.length; i += group) groups.push(items.slice(i, i + group).join(""));
  return header + groups.sort().join("");
}

/** Undefined when there is anything else between them. */
function bulkStrings(text: string): string[] | undefined {
  const items: string[] = [];
  for (let at = 0; at < text.length;) {
    const head = /^\$(\d+)\r\n/.exec(text.slice(at, at + 24));
    if (head === null) return undefined;
    const end = at + head[0].length + Number(head[1]) + 2;
    items.push(text.slice(at, end));
    at = end;
  }
  return items;
}
