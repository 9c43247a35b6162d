/** What is connected to where nobody said to what. */
import { InvalidArgumentError } from "../../base/errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

let said = false;

/**
 * The embedded server, which is said once, and not in tests. In production a missing URL is a mistake: every process
 * would have locks, limits and sessions of its own.
 */
export function withoutUrl(environment: Environment): string {
  if (environment["NODE_ENV"] === "production") {
    const expected =
      "a URL such as redis://localhost:6379 here, or in HOLDFAST_URL or REDIS_URL (embedded:// is for development)";
    throw new InvalidArgumentError("url", expected, undefined);
  }
  if (!said && environment["NODE_ENV"] !== "test") {
    said = true;
    process.stderr.write(
      "holdfast: no URL given and none in HOLDFAST_URL or REDIS_URL: using the embedded server, in memory, of this process\n",
    );
  }
  return "embedded://";
}
