import { Secret } from "../../src/config/secret.ts";
import { Handles } from "../../src/record/handles.ts";
import type { Tokens } from "../../src/record/tokens.ts";
import { parseIdentityPage } from "../../src/source/passbase/answers.ts";
import type { Provider } from "../export/workplace.ts";
import { Population } from "../sandbox/population.ts";
import { answer, BASE_PATH } from "../sandbox/routes.ts";
import { type LogVault, makeLogVault } from "./log-vault.ts";

/** Of each person, beside the record. */
const FILES = 3;
const PAGE = 500;
const LOOKUP_KEY = "5ca1e".padEnd(64, "0");

/** One person in this many has objects, whose locks end soon. */
const THERE = 1000;

/**
 * The log of a vault with this many people, written by the log's own writer: each with a record, three files, three
 * lookups and a closed provider id, as an export writes it. They are the people of a sandbox of the same size, so that
 * a run finds no one changed. The objects of one person in a thousand exist, and their locks end on `due`.
 */
export async function makeScaleVault(
  people: number,
  { due, ...provider }: Provider & { readonly due: string },
): Promise<LogVault> {
  const population = new Population(1, people);
  const handles = new Handles(new Secret(LOOKUP_KEY));
  const pages = pagesOf(population);
  let page: ReturnType<typeof parseIdentityPage>["identities"] = [];
  return makeLogVault({
    ...{ entries: people, provider, lookupKey: LOOKUP_KEY, objects: (n) => n % THERE === 0 },
    lockedUntil: (n) => (n % THERE === 0 ? due : "2099-01-01T00:00:00Z"),
    record: (n, tokens) => {
      if (n % PAGE === 0) page = parseIdentityPage(pages.next().value!).identities;
      const { id, updated, raw } = page[n % PAGE]!;
      const subject = tokens.subject("passbase", id);
      const listed = tokens.listed(updated, raw);
      return {
        ...{ subject, version: listed, listed, source: "passbase", handle: handles.close(subject, "passbase", id) },
        files: Array.from({ length: FILES }, (_, at) => tokens.file("resource", `${n} ${at}`, updated)),
        lookups: lookups(tokens, n),
      };
    },
  });
}

/** Of the person with this number. */
export const emailOf = (n: number): string => `person-${n}@example.org`;

function lookups(tokens: Tokens, n: number): Record<string, string> {
  return {
    email: tokens.lookup("email", emailOf(n)),
    "document.number": tokens.lookup("document.number", `D${n}`),
    "metadata.customer_id": tokens.lookup("metadata.customer_id", `C${n}`),
  };
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
