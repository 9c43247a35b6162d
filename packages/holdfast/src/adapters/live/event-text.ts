/**
 * The text of a `text/event-stream` (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 *
 *     event: chat:7            a message of the subscription, as JSON
 *     id: chat%3A7=1a.0.2f.x   where each subscription of the connection has got to
 *     data: {"text":"hello"}
 *
 *     event: live              what is to be said besides messages
 *     data: {"type":"gap","subscription":"chat:7","count":null}
 */

/** What is said of a subscription, or of the connection, besides messages. */
export type LiveNotice =
  /** First of all. `connection` is the secret by which its subscriptions are changed. */
  | { readonly type: "hello"; readonly connection: string }
  /** It was allowed, and messages from here on are seen. */
  | { readonly type: "open"; readonly subscription: string }
  /** It does not exist, or this user may not have it. */
  | { readonly type: "denied"; readonly subscription: string }
  /** Messages are missing at this place; `count` is null where nobody knows how many. */
  | { readonly type: "gap"; readonly subscription: string; readonly count: number | null }
  /** What was seen before is no part of what follows: fetch the state again. */
  | { readonly type: "reset"; readonly subscription: string }
  /** Of a topic with `latest`: all keys that there are have been sent, what follows are changes. */
  | { readonly type: "live"; readonly subscription: string }
  /** What the client has said on its WebSocket is done. */
  | { readonly type: "changed" }
  /** A stream is complete, or a subscription was ended. */
  | { readonly type: "end"; readonly subscription: string }
  /** A stream broke off. */
  | { readonly type: "aborted"; readonly subscription: string; readonly reason: string }
  /** The server ends the connection for good: do not come back as you are. */
  | { readonly type: "bye"; readonly reason: "revoked" | "expired" };

export const NOTICE_EVENT = "live";
/** A comment; proxies and clients see that the connection lives. */
export const HEARTBEAT = ":\n\n";

/** `json` has no line breaks. */
export function messageText(subscription: string, json: string, id: string): string {
  return `event: ${subscription}\nid: ${id}\ndata: ${json}\n\n`;
}

export function noticeText(notice: LiveNotice, id: string): string {
  const at = id === "" ? "" : `id: ${id}\n`;
  return `event: ${NOTICE_EVENT}\n${at}data: ${JSON.stringify(notice)}\n\n`;
}

export function retryText(ms: number): string {
  return `retry: ${ms}\n\n`;
}
