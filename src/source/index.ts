/**
 * Everything needed to write a source: `import { HoldfastError, type Source } from "holdfast"`. Each type documents its
 * own contract.
 */
export { HoldfastError } from "../core/error.ts";
export type { FileRef, Identity } from "../core/identity.ts";
export type { LimitsView } from "./rate/limits.ts";
export type {
  Abilities,
  Answer,
  Change,
  Dossier,
  FetchedFile,
  ListedIdentity,
  Page,
  Project,
  Source,
} from "./source.ts";
