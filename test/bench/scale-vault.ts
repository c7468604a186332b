import { createHash } from "node:crypto";
import { Secret } from "../../src/config/secret.ts";
import { Handles } from "../../src/record/handles.ts";
import type { Tokens } from "../../src/record/tokens.ts";
import { parseIdentityPage } from "../../src/source/passbase/answers.ts";
import { fileKey } from "../../src/vault/layout.ts";
import { Population } from "../sandbox/population.ts";
import { answer, BASE_PATH } from "../sandbox/routes.ts";
import { type LogVault, makeLogVault } from "./log-vault.ts";

/** Of each person, beside the record. */
export const FILES = 3;
const PAGE = 500;
const LOOKUP_KEY = "5ca1e".padEnd(64, "0");

/**
 * The log of a vault with this many people, written by the log's own writer: each with a record, three files, three
 * lookups and a closed provider id, as an export writes it. They are the people of a sandbox of the same size, so that
 * a run finds no one changed. No object exists.
 * @param lockedUntil of the person with this number
 */
export async function makeScaleVault(
  people: number,
  provider: { url: string; apiKey: string },
  lockedUntil: (n: number) => string,
): Promise<LogVault> {
  const population = new Population(1, people);
  const handles = new Handles(new Secret(LOOKUP_KEY));
  const pages = pagesOf(population);
  let page: ReturnType<typeof parseIdentityPage>["identities"] = [];
  return makeLogVault({
    ...{ entries: people, provider, lookupKey: LOOKUP_KEY },
    record: (n, tokens) => {
      if (n % PAGE === 0) page = parseIdentityPage(pages.next().value!).identities;
      const { id, updated, raw } = page[n % PAGE]!;
      const subject = tokens.subject("passbase", id);
      const listed = tokens.listed(updated, raw);
      return {
        ...{ subject, version: listed, listed, lockedUntil: lockedUntil(n) },
        ...{ source: "passbase", handle: handles.close(subject, "passbase", id) },
        files: Array.from({ length: FILES }, (_, at) => file(subject, `${n} ${at}`, lockedUntil(n))),
        lookups: lookups(tokens, n),
      };
    },
  });
}

export const emailOf = (n: number): string => `person-${n}@example.org`;

function lookups(tokens: Tokens, n: number): Record<string, string> {
  return {
    email: tokens.lookup("email", emailOf(n)),
    "document.number": tokens.lookup("document.number", `D${n}`),
    "metadata.customer_id": tokens.lookup("metadata.customer_id", `C${n}`),
  };
}

function file(subject: string, name: string, lockedUntil: string) {
  const sha256 = createHash("sha256").update(name).digest("hex");
  const stored = { key: fileKey(subject, sha256.slice(0, 32)), versionId: sha256.slice(32), size: 250_000, sha256 };
  return { ...stored, type: "document_front", mediaType: "image/jpeg", lockedUntil };
}

/** The provider's list, page by page. */
function* pagesOf(population: Population): Generator<string, undefined> {
  const options = { pageSize: PAGE, files: false, withheld: () => false };
  for (let cursor: string | null = ""; cursor !== null; ) {
    const url = new URL(`http://x${BASE_PATH}/identities?limit=${PAGE}&cursor=${cursor}`);
    const page = answer(population, url, options);
    if (!("text" in page)) throw new Error("the sandbox gave no page");
    yield page.text;
    cursor = (JSON.parse(page.text) as { cursor: { next: string | null } }).cursor.next;
  }
}
