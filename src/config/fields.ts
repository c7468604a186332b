import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";
import { REFERENCE_PATTERN, REFERENCES } from "./secret.ts";

/**
 * The kinds of field in a config. Each one rejects a bad value with a full sentence: the value, what is wrong with it,
 * and what to write instead. Editors show `doc` beside the field.
 */

/** A field read by `parse`; a HoldfastError from it becomes the problem. */
export function read<T>(parse: (text: string) => T, expected: string, doc: string, pattern?: string) {
  return text(expected)
    .transform(issueFrom(parse))
    .meta({ description: `${doc} Write ${expected}.`, ...(pattern === undefined ? {} : { pattern }) });
}

/** A reference to a secret. Errors never show the value: people paste the secret itself. */
export function secret<T>(parse: (text: string) => T, doc: string) {
  const hint = `write ${REFERENCES}`;
  return z
    .string({
      error: ({ input }) => absent(input, hint) ?? `not a reference (not shown); ${hint}`,
    })
    .transform(issueFrom(parse))
    .meta({ description: doc, pattern: REFERENCE_PATTERN });
}

export function text(expected: string) {
  return z.string({ error: ({ input }) => unfit(input, "text", `write ${expected}`) });
}

export function choice<const T extends readonly [string, ...string[]]>(values: T, doc: string) {
  const hint = `write ${values.join(" or ")}`;
  return z.enum(values, { error: ({ input }) => unfit(input, "one of the choices", hint) }).meta({ description: doc });
}

export function whole(min: number, max: number, doc: string) {
  const error = ({ input }: { input?: unknown }) =>
    unfit(input, "in range", `write a whole number from ${min} to ${max}`);
  return z.int({ error }).min(min, { error }).max(max, { error }).meta({ description: doc });
}

export function flag(doc: string) {
  return z
    .boolean({ error: ({ input }) => unfit(input, "yes or no", "write true or false") })
    .meta({ description: doc });
}

export function list<T extends z.ZodType>(item: T, expected: string, bounds: { min?: number; max: number }) {
  const { min = 0, max } = bounds;
  return z
    .array(item, { error: ({ input }) => unfit(input, "a list", `write ${expected}`) })
    .min(min, { error: `is too short; write ${expected}` })
    .max(max, { error: `is too long; write ${max} at most` });
}

/** A list without duplicates. */
export function distinct<T extends z.ZodType<readonly (string | number)[]>>(items: T) {
  return items.check(({ value, issues }) => {
    for (const [index, item] of value.entries()) {
      const first = value.indexOf(item);
      if (first === index) continue;
      issues.push({
        code: "custom",
        message: `duplicates [${first}]; remove one of them`,
        path: [index],
        input: item,
      });
    }
  });
}

/** A section that rejects unknown keys; `unknown-key.ts` words the error. */
export function section<T extends z.ZodRawShape>(shape: T, doc: string) {
  const keys = Object.keys(shape).join(", ");
  return z
    .strictObject(shape, {
      error: ({ code, input }) =>
        code === "invalid_type" ? unfit(input, "a section", `write a section with ${keys}`) : undefined,
    })
    .meta({ description: doc });
}

/** Turns a parser that throws into one that adds a Zod issue. */
export function issueFrom<T>(parse: (text: string) => T) {
  return (input: string, context: z.RefinementCtx): T => {
    try {
      return parse(input);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      context.addIssue({ code: "custom", message: `${error.message}; ${error.hint}` });
      return z.NEVER;
    }
  };
}

export function unfit(input: unknown, what: string, hint: string): string {
  return absent(input, hint) ?? `${redacted(input)} is not ${what}; ${hint}`;
}

export function absent(input: unknown, hint: string): string | undefined {
  if (input === undefined) return `is missing; ${hint}`;
  return input === null ? `is empty; ${hint}` : undefined;
}
