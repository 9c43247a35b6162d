import type { StandardSchemaV1 } from "@standard-schema/spec";
import { CodecError } from "../../base/errors.ts";

/** Issues named in a message; all of them are in the error's `cause`. */
const MAX_SHOWN = 3;

/** The schema's output for `value`. `when` says to the reader of an error which side is wrong. */
export function validate<T>(schema: StandardSchemaV1<unknown, T>, value: unknown, when: "encode" | "decode"): T {
  const result = run(schema, value);
  if (result.issues === undefined) return result.value;
  const subject =
    when === "encode" ? "the value does not match its schema" : "the stored value does not match the schema";
  throw new CodecError("validation", `${subject}: ${summary(result.issues)}`, { cause: result.issues });
}

function run<T>(schema: StandardSchemaV1<unknown, T>, value: unknown): StandardSchemaV1.Result<T> {
  const result = attempt(schema, value);
  if (!(result instanceof Promise)) return result;
  // Its outcome is not waited for, and must not become an unhandled rejection.
  result.catch(() => undefined);
  throw new CodecError(
    "unsupported",
    "the schema validates asynchronously; codecs are synchronous: use a schema without async checks",
  );
}

function attempt<T>(
  schema: StandardSchemaV1<unknown, T>,
  value: unknown,
): ReturnType<(typeof schema)["~standard"]["validate"]> {
  try {
    return schema["~standard"].validate(value);
  } catch (cause) {
    throw new CodecError("validation", "the schema threw while validating", { cause });
  }
}

function summary(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues.slice(0, MAX_SHOWN).map((issue) => `${pathOf(issue)}${issue.message}`);
  const rest = issues.length - shown.length;
  return rest > 0 ? `${shown.join("; ")}; and ${rest} more` : shown.join("; ");
}

/** `items.0.sku: `, or nothing for the value itself. */
function pathOf({ path = [] }: StandardSchemaV1.Issue): string {
  if (path.length === 0) return "";
  return `${path.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".")}: `;
}
