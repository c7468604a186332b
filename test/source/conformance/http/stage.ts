import type { IncomingMessage } from "node:http";
import type { Reply } from "../../../faults/requests.ts";
import type { Interceptor } from "../../../sandbox/send.ts";
import type { Provider, Stage, StageOptions } from "../stage.ts";

/** A provider with an API over HTTP, and what the suite knows of that. */
export interface HttpProvider extends Omit<Provider, "start"> {
  /** Some parts of a dossier have pages. */
  readonly partsHavePages: boolean;
  /** A page may be empty and still not be the last: the cursor is the provider's own, not the last entry's id. */
  readonly emptyPages: boolean;
  /** The API marks what it redacted. Otherwise a source can only tell by what is no longer there. */
  readonly marksRedaction: boolean;
  /** After a refusal the source asks once more for less: the key may lack a right to a part of the answer. */
  readonly asksForLess: boolean;
  /** Files are on a second host, which must never see the key. */
  readonly filesElsewhere: boolean;
  readonly delays: Provider["delays"] & {
    /** From an answer until its file URLs no longer open. Undefined if files have no URLs of their own. */
    readonly urls: number | undefined;
  };
  start(options: StageOptions): Promise<HttpStage>;
}

/** A started sandbox. */
export interface HttpStage extends Omit<Stage, "objections"> {
  // A fault may make these happen while a request waits.
  change(index: number, part: string): void;
  recapture(index: number): void;
  vanish(index: number): void;
  add(count: number): number[];

  /** What URLs of files begin with, where they are on a second host. */
  readonly filesOrigin?: string;

  /** The header with a signature over an answer's body, and the name under which a dossier keeps all of them. */
  readonly signature?: string;

  /** An answer as a dossier keeps it, where that is not byte for byte. */
  kept?(text: string): string;

  /** What a request asks for. */
  asked(request: IncomingMessage): Asked;
  /** What the provider's documentation forbids about a request, or asks for and does not find in it. */
  wrongIn(request: IncomingMessage): string | undefined;
  /** A hook that runs before the sandbox answers, on all its hosts. */
  intercept(hook: Interceptor | undefined): void;
  /** The list's entry about a person as JSON, with this id in place of its own. */
  entry(index: number, id: unknown): string;
  /** An answer of the list or of the changes: these entries, and a cursor that leads to a page of that number. */
  page(of: "list" | "changes", entries: readonly string[], next: number | null): string | Reply;
  /** An answer about a part, whose cursor now leads to one more page; the same text if it has no pages. */
  goesOn(text: string): string;

  /** Requests that took the key to a host that must not see it. */
  leaks(): readonly string[];
}

/** What a request is about, in words that fit every provider. */
export const ASKED = ["project", "list", "changes", "identity", "part", "file", "other"] as const;
/** `identity` is the main answer about one identity, `part` any other that belongs to its dossier. */
export type Asked = (typeof ASKED)[number];
