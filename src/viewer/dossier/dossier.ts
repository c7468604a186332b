import type { ProviderKind } from "../../provider/provider.ts";
import type { SealedRecord } from "../../record/record.ts";
import { isObject } from "../json.ts";
import { Answers } from "./answers.ts";
import { onfido } from "./onfido.ts";
import { persona } from "./persona.ts";
import { stripe } from "./stripe.ts";
import { sumsub } from "./sumsub.ts";

/** Something that the provider checked or decided, as its own answers tell it. All but the heading is its word. */
export interface ProviderCheck {
  /** The page's word for what it is. */
  readonly heading:
    | ("AML case" | "Action" | "Case" | "Check" | "Report" | "Review" | "Step" | "Task")
    | ("Verification" | "Verification session" | "Workflow run");
  /** What the provider calls it. */
  readonly name?: string | undefined;
  readonly id?: string | null | undefined;
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
}

/** What a provider's answers say that the record's own fields do not. */
export interface Dossier {
  readonly checks: readonly ProviderCheck[];
  /** Undefined for a file that is called by its type and page alone. */
  readonly fileName: (id: string, resource: string) => FileName | undefined;
  /** Data points that are in `checks` already. */
  readonly isTold?: (type: string, name: string) => boolean;
}

/** How each provider's answers are read; a provider without a line here has its data points, and its answers as they came. */
const READERS: Partial<Readonly<Record<ProviderKind, (answers: Answers) => Dossier>>> = {
  onfido,
  persona,
  stripe,
  sumsub,
};

const NOTHING: Dossier = { checks: [], fileName: () => undefined };

/** Untrusted: whatever the answers are, they are read for what they have, and none of it throws. */
export function dossierOf({ source, raw }: Pick<SealedRecord, "source" | "raw">): Dossier {
  const kind = isObject(source) ? source.kind : undefined;
  const read = typeof kind === "string" && Object.hasOwn(READERS, kind) ? READERS[kind as ProviderKind] : undefined;
  return read?.(new Answers(raw)) ?? NOTHING;
}
