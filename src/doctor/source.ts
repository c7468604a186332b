import type { Collect } from "../config/config.ts";
import { hasCode, ownError } from "../core/error.ts";
import { budgetText } from "../source/rate/limits.ts";
import type { Source } from "../source/source.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, unknown, warning } = findings("source");

/** Looks for a file in at most this many identities: some have none. */
const ASKED = 5;

/**
 * Checks the source's key and its rights. Makes a few requests and keeps none of the answers.
 * @param known ids of a few people whom the vault has
 */
export async function checkSource(source: Source, collect: Collect, known: readonly string[]): Promise<Finding[]> {
  const found: Finding[] = [];
  try {
    const { environment } = await source.project();
    found.push(
      environment === "sandbox"
        ? warning("the API key works, but it is a sandbox key", "Use the key of the production project.")
        : ok(`the API key works (environment: ${/^[a-z]{1,20}$/.test(environment) ? environment : "unknown"})`),
    );
    found.push(await checkFiles(source, collect));
    const { budget } = source.limits;
    if (budget) found.push(budgetFinding(budget));
    found.push(...(await ownChecks(source, known)));
  } catch (error) {
    found.push(failed("source", error));
  }
  return found;
}

/** How much of a month's budget should be left, before an operator must think of it. */
const SCARCE = 0.1;

function budgetFinding(budget: NonNullable<Source["limits"]["budget"]>): Finding {
  const text = `requests to the source: ${budgetText(budget)}`;
  if (budget.used < budget.of * (1 - SCARCE)) return ok(text);
  return warning(
    text,
    "Runs end when they are used up, and go on next month. Raise the source's budget if the contract allows more.",
  );
}

/** Checks a source that has no key: whether it can be read, and what it says itself. */
export async function checkKeyless(source: Source): Promise<Finding[]> {
  try {
    await source.project();
    return [ok("the source can be read"), ...(await ownChecks(source, []))];
  } catch (error) {
    return [failed("source", error)];
  }
}

async function ownChecks(source: Source, known: readonly string[]): Promise<Finding[]> {
  const checks = (await source.checks?.(known)) ?? [];
  return checks.map(({ outcome, message, hint }) =>
    outcome === "warning" ? warning(message, hint) : outcome === "unknown" ? unknown(message) : ok(message),
  );
}

/** Tests the file route. If the key lacks the right, an export keeps everything except images and videos. */
async function checkFiles(source: Source, collect: Collect): Promise<Finding> {
  if (!source.can.list)
    return unknown(
      "the provider has no list of everyone, so whether the key may fetch files could not be checked: the first export shows it",
    );
  if (collect === "minimal") return ok("the key may list identities; files are not kept (collect: minimal)");
  let listed = 0;
  for await (const { identities } of source.pages()) {
    for (const { id } of identities.slice(0, ASKED)) {
      listed += 1;
      const file = await firstFile(source, id);
      if (file === undefined) continue;
      try {
        const { bytes } = await source.file(id, file);
        for await (const _ of bytes) break;
        return ok("the key may list identities and fetch files");
      } catch (error) {
        if (hasCode(error, "source-missing")) continue;
        if (!hasCode(error, "source-denied")) throw error;
        const remedy = ownError(error)?.hint ?? "Ask the provider to grant this key the file route.";
        return warning(
          "cannot fetch files: every record will lack its images and videos",
          `${remedy} Then run \`holdfast export --withheld\`.`,
        );
      }
    }
    break;
  }
  if (listed === 0)
    return warning("the provider lists no identities", "Check that the key belongs to the right project.");
  return unknown(
    `the key may list identities; the first ${listed} have no file, so the right to fetch files could not be checked`,
  );
}

async function firstFile(source: Source, id: string) {
  try {
    return (await source.dossier(id, { full: true })).files.at(0);
  } catch (error) {
    if (hasCode(error, "source-missing")) return undefined;
    throw error;
  }
}
