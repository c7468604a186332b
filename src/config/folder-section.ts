import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";
import { parseDuration } from "./duration.ts";
import { distinct, flag, issueFrom, list, read, section, text, unfit } from "./fields.ts";
import { parseAccount, parseLine, parseRegion } from "./names.ts";
import { POINTER, parsePointer } from "./pointer.ts";
import type { FolderFields } from "./source-config.ts";
import { parseServiceUrl, parseVaultUrl, type VaultLocation } from "./url.ts";

const MAX_POINTERS = 50;
/** A name that a person chose for a value, and where the value is. */
const MAX_DATA = 100;

const pointer = (doc: string) => read(parsePointer, POINTER, doc);
const pointers = (doc: string) =>
  list(pointer("One of them."), "a list of JSON Pointers", { max: MAX_POINTERS })
    .prefault([])
    .meta({ description: doc });
const words = (doc: string) =>
  distinct(list(text("a status"), "a list of statuses", { max: MAX_POINTERS }))
    .optional()
    .meta({ description: doc });

/** The keys of a folder, besides those that all sources have. */
export function folderKeys(folder: () => string) {
  return {
    url: read(
      (value) => parseFolderUrl(value, folder()),
      "file:///dir or s3://bucket/prefix",
      "Where the drops arrive.",
    ),
    ready: read(
      parseReady,
      "a duration such as PT15M, or the name of a file such as _SUCCESS",
      "When a drop is whole: nothing in it has changed for so long, or it has a file of this name at its top.",
    ).prefault("PT15M"),
    entries: read(
      parseEntries,
      "a path such as people/*.json",
      "Which files of a drop have entries: a path in the drop, with * for any part of a name. Default: every .json, .jsonl, .ndjson and .csv at its top.",
    ).optional(),
    fields: fieldsSection(),
    beside: read(
      parseBeside,
      "a path such as images/{id}",
      "A folder with all files of an entry, from the entry's own file. {id} is the entry's id; `.` is the folder of the entry's file.",
    ).optional(),
    verified: words("Statuses that mean that the person is verified."),
    unverified: words("Statuses that mean that the person is not."),
    endpoint: read(parseServiceUrl, "https://host", "The S3 server, if it is not AWS.").optional(),
    region: read(parseRegion, "one such as eu-central-1", "The S3 region. Default: the AWS SDK decides.").optional(),
    forcePathStyle: flag("Use https://host/bucket URLs. Most S3 servers other than AWS need this.").optional(),
    expectedOwner: read(parseAccount, "12 digits", "The AWS account that must own the bucket.").optional(),
  };
}

function fieldsSection() {
  return section(
    {
      id: pointer("The entry's id: unique, and the same in each drop."),
      updated: pointer("When it changed last: RFC 3339, a date, or Unix seconds or milliseconds."),
      created: pointer("When it was made. Default: as updated.").optional(),
      status: pointer("Its status, in the provider's words.").optional(),
      email: pointer("The person's e-mail address.").optional(),
      reference: pointer(
        "The person's number in your own system. `retrieve` finds it as metadata.reference.",
      ).optional(),
      firstName: pointer("Given name.").optional(),
      lastName: pointer("Family name.").optional(),
      dateOfBirth: pointer("Date of birth.").optional(),
      numbers: pointers("Numbers of documents."),
      files: pointers(
        "Paths of its files, from the entry's own file: each pointer to one path, or to a list.",
      ).prefault([]),
      data: namedPointers(),
    },
    "Where an entry has what: each a JSON Pointer (RFC 6901). In CSV, a pointer is a slash and the column's name.",
  ).transform((fields): FolderFields => fields);
}

function namedPointers() {
  return z
    .record(text("a name").transform(issueFrom(parseLine)), pointer("Where the value is."), {
      error: ({ input }) => unfit(input, "a section", `write names of your own, each with ${POINTER}`),
    })
    .refine((named) => Object.keys(named).length <= MAX_DATA, {
      error: `has too many values; name ${MAX_DATA} at most`,
    })
    .prefault({})
    .meta({ description: "More values to show, each under a name of your own: `Nationality: /person/nationality`." });
}

function parseFolderUrl(value: string, folder: string): VaultLocation {
  try {
    return parseVaultUrl(value, folder);
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw new HoldfastError("config", cause.message.replace(/ of its own for a vault$/, ""), {
      cause,
      hint: "write file:///dir, file:./dir from this file's folder, or s3://bucket/prefix",
    });
  }
}

/** How to know that a drop is whole. */
export type Ready =
  | { readonly kind: "quiet"; readonly time: Temporal.Duration }
  | { readonly kind: "marker"; readonly name: string };

/** @throws HoldfastError "config" */
export function parseReady(text: string): Ready {
  if (/^P(T?\d|$)/i.test(text)) return { kind: "quiet", time: parseDuration(text) };
  const meant = meantTime(text);
  if (meant) {
    throw new HoldfastError("config", `${redacted(text)} looks like a duration, but is not one`, {
      hint: `write the ISO 8601 form: ${meant}`,
    });
  }
  if (/^[A-Za-z0-9._-]{1,100}$/.test(text) && !/^\.{1,2}$/.test(text)) return { kind: "marker", name: text };
  throw new HoldfastError("config", `${redacted(text)} is neither a duration nor the name of a file`, {
    hint: "write a duration such as PT15M, or a file's name with A-Z, a-z, 0-9, _, . and - such as _SUCCESS",
  });
}

/** Of `15m`, `1h30m`, `90 seconds`, `T15M`: the ISO 8601 form. No one names a marker's file like that. */
function meantTime(text: string): string | undefined {
  if (!/^T?(\d{1,9} ?(d|h|m|s|days?|hours?|hrs?|min|minutes?|sec|seconds?) ?)+$/i.test(text)) return undefined;
  const units = { D: "days", H: "hours", M: "minutes", S: "seconds" } as const;
  const parts = text.toUpperCase().matchAll(/(\d+) ?([DHMS])/g);
  return Temporal.Duration.from(
    Object.fromEntries(parts.map(([, count, unit]) => [units[unit as keyof typeof units], Number(count)])),
  ).toString();
}

/** A path inside a drop, step by step. @throws HoldfastError "config" */
export function parseEntries(text: string): readonly string[] {
  const steps = text.split("/");
  if (isInside(steps) && /\.(jsonl?|ndjson|csv)$/i.test(text)) return steps;
  throw new HoldfastError("config", `${redacted(text)} does not name files with entries`, {
    hint: "write a path in the drop that ends with .json, .jsonl, .ndjson or .csv, such as people/*.json",
  });
}

/** @throws HoldfastError "config" */
export function parseBeside(text: string): string {
  const steps = text.split("/");
  if (text === "." || (isInside(steps) && !/[{}*]/.test(text.replaceAll("{id}", "")))) return text;
  throw new HoldfastError("config", `${redacted(text)} is not a folder beside an entry`, {
    hint: "write a path from the entry's file, such as images/{id}, without .. and *",
  });
}

function isInside(steps: readonly string[]): boolean {
  const isStep = (step: string) => step !== "" && step !== "." && step !== ".." && !/[\\\p{Cc}]/u.test(step);
  return steps.length <= 8 && steps.join("/").length <= 300 && steps.every(isStep);
}
