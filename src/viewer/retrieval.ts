import { HoldfastError } from "../core/error.ts";
import { isInstant } from "../core/timestamp.ts";
import { VERSION } from "../vault/layout.ts";
import { digestOf } from "./digest.ts";
import { Json } from "./json.ts";

/** evidence/retrieval.json: what the bag was made for, and what is in it (docs/FORMAT.md, section 14). */
export interface Retrieval {
  readonly client: string;
  readonly case: string;
  readonly requestedBy: string;
  readonly reason: string;
  readonly prepared: string;
  readonly salt: string;
  /** The lines of the log that tell of this retrieval. */
  readonly lines: readonly number[];
  readonly subjects: readonly Subject[];
}

export interface Subject {
  readonly subject: string;
  /** Oldest first. */
  readonly records: readonly { readonly version: string; readonly entry: number }[];
  /** Lines about this subject. */
  readonly trail: readonly number[];
}

/** More than a browser can show. The command line opens larger bags. */
const MAX_SUBJECTS = 10_000;
const MAX_EACH = 20_000;

export function parseRetrieval(bytes: Uint8Array): Retrieval {
  const json = Json.parse(bytes, "retrieval.json");
  if (json.member("holdfast").value !== "bag/1")
    throw new HoldfastError("malformed", "This page does not know this version of a bag.");
  const prepared = json.member("prepared").text();
  if (!isInstant(prepared)) throw new HoldfastError("malformed", "retrieval.json has no valid time.");
  const counts = (list: Json) => list.items(MAX_EACH).map((index) => index.count());
  return {
    client: json.member("client").text(),
    case: json.member("case").text(),
    requestedBy: json.member("requestedBy").text(),
    reason: json.member("reason").text(),
    prepared,
    salt: json.member("salt").text(64),
    lines: counts(json.member("retrieval")),
    subjects: json
      .member("subjects")
      .items(MAX_SUBJECTS)
      .map((each) => ({
        subject: each.member("subject").text(32, /^[0-9a-f]{32}$/),
        records: each
          .member("records")
          .items(MAX_EACH)
          .map((record) => ({
            version: record.member("version").text(40, VERSION),
            entry: record.member("entry").count(),
          })),
        trail: counts(each.member("trail")),
      })),
  };
}

/** What the log holds in the place of the request's words: canonical JSON of four texts, hashed. */
export function commitmentOf({
  case: number,
  reason,
  requestedBy,
  salt,
}: Pick<Retrieval, "case" | "reason" | "requestedBy" | "salt">): Promise<string> {
  return digestOf(new TextEncoder().encode(JSON.stringify({ case: number, reason, requestedBy, salt })));
}
