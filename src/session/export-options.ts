import { askedSources } from "../config/sources.ts";
import { HoldfastError } from "../core/error.ts";
import type { Selection } from "../export/plan.ts";
import type { Session } from "./client.ts";
import { noneAsked } from "./each-source.ts";

export interface ExportOptions {
  /** Provider ids. Undefined: everything new or changed. */
  readonly identities?: readonly string[] | undefined;
  /** Store the named identities again even if nothing changed. */
  readonly again?: boolean | undefined;
  /** Subjects to store again, by the tokens that verify shows. */
  readonly subjects?: readonly string[] | undefined;
  /** Ask again for withheld files, and store the identities again of which one arrives. */
  readonly withheld?: boolean | undefined;
}

/** @throws HoldfastError "usage" for options that contradict each other or the config */
export function refuseUnclear({ clients }: Session, options: ExportOptions): void {
  if ((options.identities || options.subjects) && clients.length > 1) {
    throw new HoldfastError("usage", "--identity and --subject are about one client, but the config has several", {
      hint: "Add --client <id>.",
    });
  }
  if (options.again && !options.identities) {
    throw new HoldfastError("usage", "--again needs --identity", {
      hint: "Add --identity <id>, or use --subject.",
    });
  }
  const [client] = clients;
  if (options.subjects && client && askedSources(client).length === 0) {
    throw new HoldfastError("usage", `no one can be stored again: ${client.id} asks no source, ${noneAsked(client)}`, {
      hint: "Remove `retired: true` in the config, or leave out --source.",
    });
  }
  for (const subject of options.subjects ?? []) {
    if (/^[0-9a-f]{32}$/.test(subject)) continue;
    throw new HoldfastError("usage", "--subject takes 32 hexadecimal digits", {
      hint: "It is the long part of the key that verify shows: records/<2 digits>/<subject>/….",
    });
  }
}

export function selectionOf({ subjects, withheld }: ExportOptions): Selection {
  if (subjects) return { kind: "subjects", subjects: new Set(subjects) };
  return { kind: withheld ? "withheld" : "changed" };
}
