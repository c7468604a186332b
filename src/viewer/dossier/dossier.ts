import type { ProviderKind } from "../../provider/provider.ts";
import type { SealedRecord } from "../../record/record.ts";
import { isObject } from "../json.ts";
import { Answers, items, members } from "./answers.ts";
import { onfido } from "./onfido.ts";
import { persona } from "./persona.ts";
import { stripe } from "./stripe.ts";
import { sumsub } from "./sumsub.ts";
import { veriff } from "./veriff.ts";

/** Something that the provider checked or decided, as its own answers tell it. All but the heading is its word. */
export interface ProviderCheck {
  /** The page's word for what it is. */
  readonly heading:
    | ("AML case" | "Action" | "Case" | "Check" | "Decision" | "Details" | "Registry" | "Report" | "Review")
    | ("Step" | "Task" | "Verification" | "Verification session" | "Watchlist screening" | "Workflow run")
    | `Attempt ${number}`;
  /** What the provider calls it. */
  readonly name?: string | undefined;
  readonly id?: string | null | undefined;
  /** The request that it comes from, where a record may lack just that one. */
  readonly endpoint?: string;
  readonly rows: readonly CheckRow[];
}

/** One line of a check. A longer path is set in below the shorter one before it: a breakdown is a tree. */
export interface CheckRow {
  readonly path: readonly string[];
  /** Null for a line that only names those below it. */
  readonly value: string | number | boolean | null;
}

/** What a file shows. */
export interface FileName {
  /** The provider's word for the document. */
  readonly of?: string | null;
  /** `front`, `Live photo`: the page's word. Without `of` it is all of the name. */
  readonly title: string;
  /** Files of one document are side by side. Default: of one resource. */
  readonly group?: string | undefined;
  /** Where it comes among all files. Default: by its type, group and page. */
  readonly place?: number;
}

/** A file as the record names it, whether the vault has it or not. */
export interface DossierFile {
  readonly id: string;
  readonly resource: string;
}

/** What a provider's answers say that the record's own fields do not. */
export interface DossierView {
  readonly checks: readonly ProviderCheck[];
  /** Undefined for a file that is called by its type and page alone. */
  readonly fileName: (id: string, resource: string) => FileName | undefined;
  /** Data points that are in `checks` already. */
  readonly isTold?: (type: string, name: string) => boolean;
  /** The watchlist is in `checks` already. */
  readonly tellsWatchlist?: boolean;
  /** The request that the record's watchlist comes from, where a record may lack just that one. */
  readonly watchlistFrom?: string;
}

/** How each provider's answers are read; a provider without a line here has its data points, and its answers as they came. */
const READERS: Partial<
  Readonly<Record<ProviderKind, (answers: Answers, files: readonly DossierFile[]) => DossierView>>
> = {
  onfido,
  persona,
  stripe,
  sumsub,
  veriff,
};

const NOTHING: DossierView = { checks: [], fileName: () => undefined };

/** Untrusted: whatever the answers are, they are read for what they have, and none of it throws. */
export function dossierOf({
  source,
  raw,
  files,
  withheld,
}: Pick<SealedRecord, "source" | "raw"> & { readonly files?: unknown; readonly withheld?: unknown }): DossierView {
  const kind = isObject(source) ? source.kind : undefined;
  const read = typeof kind === "string" && Object.hasOwn(READERS, kind) ? READERS[kind as ProviderKind] : undefined;
  const kept = [...items(files), ...items(withheld)].map(members).flatMap(({ id, resource }) => {
    return typeof id === "string" && typeof resource === "string" ? [{ id, resource }] : [];
  });
  return read?.(new Answers(raw), kept) ?? NOTHING;
}
