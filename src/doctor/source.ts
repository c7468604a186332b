import type { Collect } from "../config/config.ts";
import { hasCode } from "../core/error.ts";
import type { Source } from "../source/source.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, warning } = findings("source");

/** Identities that are asked for a file, at most: some have none. */
const ASKED = 5;

/** The source's key and its rights. A few requests; of the answers nothing is kept. */
export async function checkSource(source: Source, collect: Collect): Promise<Finding[]> {
  const found: Finding[] = [];
  try {
    const { environment } = await source.project();
    found.push(
      environment === "sandbox"
        ? warning(
            "the API key is taken, and it is one of the provider's sandbox",
            "Give the key of the production project.",
          )
        : ok(`the API key is taken (environment: ${/^[a-z]{1,20}$/.test(environment) ? environment : "unknown"})`),
    );
    found.push(await checkFiles(source, collect));
  } catch (error) {
    found.push(failed("source", error));
  }
  return found;
}

/** One file's route: where the key lacks the right to it, an export keeps everything but images and videos. */
async function checkFiles(source: Source, collect: Collect): Promise<Finding> {
  if (collect === "minimal") return ok("identities are listed; files are not kept (collect: minimal)");
  let listed = 0;
  for await (const { identities } of source.pages()) {
    for (const { id } of identities.slice(0, ASKED)) {
      listed += 1;
      const file = await firstFile(source, id);
      if (file === undefined) continue;
      try {
        const { bytes } = await source.file(id, file);
        for await (const _ of bytes) break;
        return ok("identities are listed, and a file may be fetched");
      } catch (error) {
        if (hasCode(error, "source-missing")) continue;
        if (!hasCode(error, "source-denied")) throw error;
        return warning(
          "the key may not fetch files: images and videos will be withheld from every record",
          "Ask the provider to grant the file route to this key; afterwards run `holdfast export --withheld`.",
        );
      }
    }
    break;
  }
  if (listed === 0)
    return warning("the provider lists no identity", "Check that the key is that of the right project.");
  return ok(`identities are listed; the first ${listed} have no file, so the right to fetch one is not known`);
}

async function firstFile(source: Source, id: string) {
  try {
    return (await source.resources(id)).files.at(0);
  } catch (error) {
    if (hasCode(error, "source-missing")) return undefined;
    throw error;
  }
}
