import type { Pointer } from "../../config/pointer.ts";
import type { FolderFields, FolderSourceConfig } from "../../config/source-config.ts";
import type { Identity } from "../../core/identity.ts";
import { scalarText } from "../../io/exact-json.ts";
import { refused } from "./errors.ts";
import { instantOf } from "./times.ts";

export type Mapping = Pick<FolderSourceConfig, "fields" | "verified" | "unverified" | "beside">;

/** A file that an entry names, and in which word of the config's. */
export interface NamedPath {
  readonly path: string;
  readonly type: string;
}

/** What the pointer names; undefined if there is nothing. Untrusted and personal. */
export function valueAt(value: unknown, pointer: Pointer): unknown {
  let found = value;
  for (const step of pointer) {
    if (typeof found !== "object" || found === null || JSON.isRawJSON(found)) return undefined;
    if (Array.isArray(found) ? !/^(0|[1-9]\d*)$/.test(step) : !Object.hasOwn(found, step)) return undefined;
    found = (found as Record<string, unknown>)[step];
  }
  return found;
}

/** The entry's id, or undefined if it has none that can be kept. */
export function idOf(value: unknown, { id }: FolderFields): string | undefined {
  const text = scalarText(valueAt(value, id));
  const isFit =
    text !== null && text.length <= 200 && text.trim() !== "" && text.isWellFormed() && !text.includes("\0");
  return isFit ? text : undefined;
}

/** @throws HoldfastError "source-response" if the time of its last change is missing or unreadable */
export function identityOf(id: string, value: unknown, { fields, verified, unverified }: Mapping): Identity {
  const at = (pointer: Pointer | undefined): unknown => pointer && valueAt(value, pointer);
  const word = (pointer: Pointer | undefined): string | null => scalarText(at(pointer)) || null;
  const updated = instantOf(at(fields.updated));
  if (updated === undefined) throw refused("what fields.updated names is missing or no time");
  const found = at(fields.status);
  const status = (typeof found === "boolean" ? String(found) : scalarText(found)) || "unknown";
  return {
    id,
    status,
    verified: verified.includes(status) ? true : unverified.includes(status) ? false : null,
    created: instantOf(at(fields.created)) ?? null,
    updated,
    owner: { email: word(fields.email), firstName: word(fields.firstName), lastName: word(fields.lastName) },
    score: null,
    documents: [
      { type: "account", datapoints: personal(fields, at) },
      ...fields.numbers.flatMap((pointer) =>
        listed(at(pointer)).flatMap((one) => {
          const number = scalarText(one);
          // Lookups know a document's number by this name.
          return number ? [{ type: pointer.join("/"), datapoints: { document_number: number } }] : [];
        }),
      ),
    ].filter(({ datapoints }) => Object.keys(datapoints).length > 0),
    metadata: word(fields.reference) === null ? null : { reference: word(fields.reference) },
    watchlist: null,
    network: null,
  };
}

/** @throws HoldfastError "source-response" for what is no path */
export function pathsOf(value: unknown, { files }: FolderFields): NamedPath[] {
  return files.flatMap((pointer) =>
    listed(valueAt(value, pointer)).flatMap((path): NamedPath[] => {
      if (path === undefined || path === null || path === "") return [];
      if (typeof path !== "string") throw refused("what fields.files names is neither a path nor a list of paths");
      return [{ path, type: typeOf(pointer) }];
    }),
  );
}

function personal({ dateOfBirth, data }: FolderFields, at: (pointer: Pointer | undefined) => unknown) {
  const all = [["date_of_birth", at(dateOfBirth)], ...Object.entries(data).map(([name, of]) => [name, at(of)])];
  return Object.fromEntries(all.filter(([, value]) => value !== undefined && value !== null && value !== ""));
}

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** The log has it in clear text, so it is the config's word, not the entry's: `/documents/0/front` is `front`. */
function typeOf(pointer: Pointer): string {
  const word = pointer.findLast((step) => !/^\d+$/.test(step)) ?? "";
  return (
    word
      .replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^_+|_+$/g, "")
      .slice(0, 40) || "other"
  );
}
