/** Marks the requests by which an adapter runs a handler for nobody, so that the cache in front of the handler lets them through. */
import type { Runtime } from "../../base/runtime.ts";

export const MARK = "x-holdfast-load";

/** No client knows it. */
export function newMark(runtime: Runtime): string {
  return runtime.randomBytes(18).toString("base64url");
}
