/** What stands for a held job outside of the process that has claimed it. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { checkName } from "../check-name.ts";

export interface HeldToken {
  readonly id: string;
  readonly worker: string;
  readonly fence: number;
}

const MAX_TOKEN = 1_000;

export function encodeToken({ id, worker, fence }: HeldToken): string {
  return Buffer.from(JSON.stringify([fence, worker, id])).toString("base64url");
}

/** @throws InvalidArgumentError for what is none: it may come from anywhere */
export function decodeToken(token: unknown): HeldToken {
  const parts: unknown = typeof token === "string" && token.length <= MAX_TOKEN ? parsed(token) : undefined;
  const [fence, worker, id] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (!Number.isSafeInteger(fence) || typeof worker !== "string" || typeof id !== "string")
    throw new InvalidArgumentError("token", "the token of a job that was claimed", token);
  return { fence: fence as number, worker: checkName("token", worker), id: checkName("token", id) };
}

function parsed(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    return undefined;
  }
}
