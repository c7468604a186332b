/**
 * What someone needs who writes a source: `import { HoldfastError, type Source } from "holdfast"`. The contract of each
 * is in its own comment.
 */
export { HoldfastError } from "../core/error.ts";
export type { FileRef, Identity } from "../core/identity.ts";
export type { LimitsView } from "./rate/limits.ts";
export type {
  FetchedFile,
  FetchedIdentity,
  FetchedResources,
  ListedIdentity,
  Page,
  Project,
  Source,
} from "./source.ts";
