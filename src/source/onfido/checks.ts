import type { SourceCheck } from "../source.ts";
import { parseMany } from "./answers.ts";
import { applicantsCall } from "./calls.ts";
import { type Ask, Gathering } from "./gathering.ts";

/** Applicants to look at: the newest. */
const NEWEST = 100;

/** What the key may not read, tried on the newest applicant, and whether applicants are being deleted. */
export async function checkKey(ask: Ask): Promise<SourceCheck[]> {
  const call = applicantsCall(1, NEWEST);
  const applicants = parseMany(call.name, (await ask(call)).text, "applicants");
  const deleted = applicants.filter(({ said }) => said.delete_at != null);
  const found: SourceCheck[] = [];
  if (deleted.length > 0)
    found.push({
      outcome: "warning",
      message: `${deleted.length} of the newest ${applicants.length} applicants are being deleted, and can no longer be read`,
      hint: "If Onfido deletes by a schedule (data retention in its dashboard), set it longer than exports may be late.",
    });
  const [first] = applicants.filter((applicant) => !deleted.includes(applicant));
  if (!first)
    return [...found, { outcome: "unknown", message: "there is no applicant, so rights could not be checked" }];
  const gathering = new Gathering(ask);
  await gathering.applicant(first.id, true);
  for (const gap of gathering.gaps)
    found.push({
      outcome: "warning",
      message: `the key may not ask ${gap}: every record will lack it`,
      hint: "Ask Onfido to let the key read this, then run `holdfast export --all`.",
    });
  if (gathering.gaps.size === 0)
    found.push({ outcome: "ok", message: "the key may read all that the newest applicant has" });
  return found;
}
