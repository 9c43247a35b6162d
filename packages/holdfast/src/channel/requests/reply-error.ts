/** Why a request has no reply, as its sender may know it. */
import { checkText } from "../../core/keyspace/keyspace.ts";
import type { Thrown } from "../../core/threads/pool.ts";

const MAX_CODE_LENGTH = 64;

/**
 * What a handler throws to refuse a request: its code and message reach the sender. Of every other error nothing does.
 * @example
 * prices.respond((article) => stock.get(article) ?? Promise.reject(new ChannelReplyError("unknown-article", "no such article")));
 */
export class ChannelReplyError extends Error {
  override readonly name: string = "ChannelReplyError";
  /** For programs: short, such as `sold-out`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = checkText("code", code, MAX_CODE_LENGTH);
  }
}

/** As it arrives at the sender. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

export const INTERNAL: Failure = { code: "internal", message: "the handler failed" };
export const BAD_REQUEST: Failure = { code: "bad-request", message: "the request could not be read" };
export const BAD_REPLY: Failure = { code: "bad-reply", message: "the handler's reply could not be sent" };

export function failureOf(error: unknown): Failure {
  return error instanceof ChannelReplyError ? { code: error.code, message: error.message } : INTERNAL;
}

/** The error of a handler in a thread, where its class is another one: known by its name and its code. */
export function refusalOf({ name, code, message }: Thrown): ChannelReplyError | undefined {
  const isRefusal = name === "ChannelReplyError" && code !== undefined && code !== "" && code.length <= MAX_CODE_LENGTH;
  return isRefusal && code.isWellFormed() ? new ChannelReplyError(code, message) : undefined;
}
