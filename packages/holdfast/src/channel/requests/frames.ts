/**
 * What goes between those who ask and those who answer: a line of text, then the value.
 *
 *     ask <inbox> <number> <ms>    to a responder: the request, and how long its sender will wait, from its arrival on
 *     end <inbox> <number>         to a responder: its sender has given up
 *     <number> <status>            to the sender's inbox: the reply, or why there is none
 */
const LINE_END = 0x0a;
/** Longer is no line of ours. */
const MAX_LINE = 128;
const INBOX = /^[\w-]{1,64}$/;

export interface AskFrame {
  readonly kind: "ask";
  readonly inbox: string;
  readonly number: number;
  readonly timeoutMs: number;
  readonly payload: Buffer;
}

export interface EndFrame {
  readonly kind: "end";
  readonly inbox: string;
  readonly number: number;
}

export const REPLY_STATUSES = ["ok", "busy", "failed"] as const;

export interface ReplyFrame {
  readonly number: number;
  readonly status: (typeof REPLY_STATUSES)[number];
  readonly payload: Buffer;
}

const NOTHING = Buffer.alloc(0);

export function askFrame({ inbox, number, timeoutMs, payload }: Omit<AskFrame, "kind">): Buffer {
  return Buffer.concat([Buffer.from(`ask ${inbox} ${number} ${timeoutMs}\n`), payload]);
}

export function endFrame({ inbox, number }: Omit<EndFrame, "kind">): Buffer {
  return Buffer.from(`end ${inbox} ${number}\n`);
}

export function replyFrame(number: number, status: ReplyFrame["status"], payload: Buffer = NOTHING): Buffer {
  return Buffer.concat([Buffer.from(`${number} ${status}\n`), payload]);
}

/** Undefined for what is none. */
export function readRequest(bytes: Buffer): AskFrame | EndFrame | undefined {
  const { words, payload } = split(bytes);
  const [kind, inbox, number, timeoutMs] = words;
  if (inbox === undefined || !INBOX.test(inbox) || !isWhole(number)) return undefined;
  if (kind === "end") return { kind, inbox, number: Number(number) };
  if (kind !== "ask" || !isWhole(timeoutMs)) return undefined;
  return { kind, inbox, number: Number(number), timeoutMs: Number(timeoutMs), payload };
}

/** Undefined for what is none. */
export function readReply(bytes: Buffer): ReplyFrame | undefined {
  const { words, payload } = split(bytes);
  const [number, word] = words;
  const status = REPLY_STATUSES.find((each) => each === word);
  return status === undefined || !isWhole(number) ? undefined : { number: Number(number), status, payload };
}

function split(bytes: Buffer): { readonly words: readonly string[]; readonly payload: Buffer } {
  const end = bytes.subarray(0, MAX_LINE).indexOf(LINE_END);
  if (end < 0) return { words: [], payload: NOTHING };
  return { words: bytes.toString("latin1", 0, end).split(" "), payload: bytes.subarray(end + 1) };
}

function isWhole(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,15}$/.test(text);
}
