/** What is said on a feed's channel as something is published or followed. */
export type FeedMessage =
  | { readonly author: string; readonly id: string; readonly followed: boolean; readonly to: readonly string[] }
  | { readonly reader: string; readonly author: string; readonly follows: boolean };

export function messageOf(message: FeedMessage): string {
  return JSON.stringify(message);
}

/** Each buffer is read once, however many hear it. */
const read = new WeakMap<Buffer, FeedMessage | undefined>();

/** Undefined for what is none. */
export function readMessage(payload: Buffer): FeedMessage | undefined {
  if (read.has(payload)) return read.get(payload);
  const message = parsed(payload);
  read.set(payload, message);
  return message;
}

function parsed(payload: Buffer): FeedMessage | undefined {
  try {
    const message = JSON.parse(payload.toString()) as Partial<Record<string, unknown>> | null;
    if (typeof message?.["author"] !== "string") return undefined;
    const isPublished = typeof message["id"] === "string" && Array.isArray(message["to"]);
    return isPublished || typeof message["reader"] === "string" ? (message as unknown as FeedMessage) : undefined;
  } catch {
    return undefined;
  }
}
