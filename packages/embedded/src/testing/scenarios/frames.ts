/** What a server sent, taken apart. */
export interface Frame {
  /** Its bytes. */
  readonly text: string;
  /** What an aggregate holds; undefined for anything else. */
  readonly items: readonly Frame[] | undefined;
}

const AGGREGATES = "*~>%";

/** A last frame that is not whole is one too. */
export function framesOf(bytes: string): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const frame = frameAt(bytes, at);
    frames.push(frame);
    at += frame.text.length;
  }
  return frames;
}

function frameAt(bytes: string, start: number): Frame {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd === -1) return { text: bytes.slice(start), items: undefined };
  const marker = bytes.charAt(start);
  const length = Number(bytes.slice(start + 1, lineEnd));
  let at = lineEnd + 2;
  if (marker === "$" || marker === "=") {
    if (length >= 0) at += length + 2;
    return { text: bytes.slice(start, at), items: undefined };
  }
  if (!AGGREGATES.includes(marker) || length < 0) return { text: bytes.slice(start, at), items: undefined };
  const items: Frame[] = [];
  for (let left = marker === "%" ? length * 2 : length; left > 0 && at < bytes.length; left -= 1) {
    const item = frameAt(bytes, at);
    items.push(item);
    at += item.text.length;
  }
  return { text: bytes.slice(start, at), items };
}

/** A message of pub/sub or of client-side caching, in either protocol. */
export function isMessage(frame: Frame): boolean {
  if (frame.text.startsWith(">")) return true;
  return /^\*3\r\n\$\d+\r\n(?:[sp]?message|[sp]?(?:un)?subscribe)\r\n|^\*4\r\n\$8\r\npmessage\r\n/.test(frame.text);
}

/** Of (UN)SUBSCRIBE: an answer in the form of a message. */
const CONFIRMATION = /^[>*]3\r\n\$\d+\r\n[ps]?(?:un)?subscribe\r\n/;

/** The messages, and the rest; also those which stand in the middle of an answer. */
export function messagesApart(bytes: string): { readonly messages: string; readonly answers: string } {
  let messages = "";
  let answers = "";
  for (let at = 0; at < bytes.length;) {
    const frame = frameAt(bytes, at);
    const apart = isMessage(frame) && !CONFIRMATION.test(frame.text);
    const opening = frame.items === undefined ? frame.text : bytes.slice(at, bytes.indexOf("\r\n", at) + 2);
    if (apart) messages += frame.text;
    else answers += opening;
    at += apart ? frame.text.length : opening.length;
  }
  return { messages, answers };
}
