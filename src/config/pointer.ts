import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";

/** The steps of a JSON Pointer (RFC 6901), from the outside in. */
export type Pointer = readonly string[];

export const POINTER = "a JSON Pointer such as /person/email; in CSV, /column";

const MAX_LENGTH = 300;

/** @throws HoldfastError "config" */
export function parsePointer(text: string): Pointer {
  const isPointer = /^(\/([^~/]|~[01])*)+$/.test(text) && text.length <= MAX_LENGTH && !/\p{Cc}/u.test(text);
  if (isPointer)
    return text
      .slice(1)
      .split("/")
      .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  throw new HoldfastError("config", `${redacted(text)} is not a JSON Pointer`, {
    hint: "begin with a slash and write a slash between steps, such as /person/email; write ~1 for a slash in a name, and ~0 for a tilde",
  });
}
