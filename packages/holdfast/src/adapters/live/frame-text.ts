/**
 * The text of a WebSocket's messages, in which each line is an event.
 *
 *     ["chat:7","chat%3A7=1a.0.2f.x",{"text":"hello"}]             a message of the subscription, with its cursor
 *     {"type":"gap","subscription":"chat:7","count":null,"id":""}   what is to be said besides messages
 *     {"type":"retry","ms":1500}                                    when to come back after the end
 *                                                                   an empty line: a heartbeat
 *
 * The client says what it wants: {"subscribe":["chat:7"],"unsubscribe":["prices"],"cursors":{"chat:7":"1a.0.2f.x"}}, and is answered
 * {"type":"changed"} when that is done.
 */
import type { LiveNotice } from "./event-text.ts";

export const FRAME_HEARTBEAT = "\n";

/** `json` has no line breaks. */
export function messageFrame(subscription: string, json: string, id: string): string {
  return `[${JSON.stringify(subscription)},${JSON.stringify(id)},${json}]\n`;
}

export function noticeFrame(notice: LiveNotice, id: string): string {
  return `${JSON.stringify(id === "" ? notice : { ...notice, id })}\n`;
}

export function retryFrame(ms: number): string {
  return `{"type":"retry","ms":${ms}}\n`;
}

/** What a client wants to be different. */
export interface LiveChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly cursors: ReadonlyMap<string, string>;
}

/** Undefined for what is none. */
export function parseChange(text: string): LiveChange | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(given)) return undefined;
  const { subscribe = [], unsubscribe = [], cursors = {} } = given;
  if (!isTexts(subscribe) || !isTexts(unsubscribe) || !isObject(cursors)) return undefined;
  const pairs = Object.entries(cursors);
  if (!isTexts(pairs.map(([, cursor]) => cursor))) return undefined;
  return { add: subscribe, remove: unsubscribe, cursors: new Map(pairs as [string, string][]) };
}

function isTexts(given: unknown): given is string[] {
  return Array.isArray(given) && given.every((each) => typeof each === "string");
}

function isObject(given: unknown): given is Record<string, unknown> {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}
