import type { StandardSchemaV1 } from "@standard-schema/spec";
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";

/** Places named in a message. */
const MAX_SHOWN = 3;
const MAX_PLACE_LENGTH = 100;

/** The schema itself. @throws InvalidArgumentError for what is none */
export function checkSchema<T>(
  schema: StandardSchemaV1<unknown, T> | undefined,
  field = "schema",
): StandardSchemaV1<unknown, T> | undefined {
  if (schema === undefined || typeof schema?.["~standard"]?.validate === "function") return schema;
  throw new InvalidArgumentError(field, "a Standard Schema", schema);
}

/**
 * The schema's output for `value`. `when` says to the reader of an error which side is wrong. The error names the places
 * and not the schema's words for them, which in many libraries quote the value.
 */
export function validate<T>(schema: StandardSchemaV1<unknown, T>, value: unknown, when: "encode" | "decode"): T {
  const result = run(schema, value);
  if (result.issues === undefined) return result.value;
  const subject =
    when === "encode" ? "the value does not match its schema" : "the stored value does not match the schema";
  throw new CodecError("validation", `${subject} at ${placesOf(result.issues)}`);
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
  } catch (error) {
    // Its message may quote the value, so it is no cause of ours.
    // oxlint-disable-next-line eslint/preserve-caught-error
    throw new CodecError("validation", `the schema threw ${kindOf(error)} while validating`);
  }
}

function placesOf(issues: readonly StandardSchemaV1.Issue[]): string {
  const places = [...new Set(issues.map(placeOf))];
  const rest = places.length - MAX_SHOWN;
  return rest > 0 ? `${places.slice(0, MAX_SHOWN).join(", ")} and ${rest} more` : places.join(", ");
}

/** `items.0.sku`. */
function placeOf({ path = [] }: StandardSchemaV1.Issue): string {
  if (path.length === 0) return "the top";
  const place = path.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".");
  return place.length > MAX_PLACE_LENGTH ? `${place.slice(0, MAX_PLACE_LENGTH)}…` : place;
}

/** `TypeError`: the most that can be said of a foreign error without what it says. */
export function kindOf(error: unknown): string {
  return error instanceof Error && /^\w{1,40}$/.test(error.name) ? error.name : "an error";
}
