import { hasCode } from "../../core/error.ts";
import type { Call } from "../http.ts";
import type { SourceCheck } from "../source.ts";
import {
  actionsCall,
  allDocsCall,
  amlCall,
  applicantCall,
  checkCall,
  historyCall,
  imageCall,
  imagesCall,
  inspectionCall,
  moderationCall,
  recordingCall,
  statusCall,
  stepsCall,
} from "./calls.ts";
import type { Aml, Ask } from "./gathering.ts";

/** No applicant, inspection or file has this id. */
const NO_ONE = "0".repeat(24);
const WHERE = "in the app token's settings in Sumsub's dashboard";

/** What a dossier asks for, and the files. */
const ASKED: readonly Call[] = [
  ...[applicantCall, statusCall, stepsCall, historyCall, moderationCall, allDocsCall, imagesCall].map((of) =>
    of(NO_ONE),
  ),
  ...[checkCall(NO_ONE, "IP_CHECK"), actionsCall(NO_ONE, 1, 0), inspectionCall(NO_ONE)],
  ...[imageCall(NO_ONE, "0"), recordingCall(NO_ONE, NO_ONE)],
];

/**
 * What the token may not do. Sumsub lists no applicants, so each request is tried with an id that no one has: 403 says
 * that the right is missing. The rest of a token's settings cannot be asked for.
 */
export async function checkToken(ask: Ask, { isUsed }: Aml, watermark: SourceCheck): Promise<SourceCheck[]> {
  const found: SourceCheck[] = [];
  const unclear: string[] = [];
  for (const call of ASKED) {
    const refused = await isRefused(ask, call);
    if (refused === undefined) unclear.push(call.name);
    if (refused)
      found.push({
        outcome: "warning",
        message: `the app token may not ask ${call.name}: every record will lack it`,
        hint: `Add the permissions to view applicants, their personal data and recordings of video calls ${WHERE}.`,
      });
  }
  if (unclear.length > 0) found.push(notClear(unclear.join(", ")));
  if (found.length === 0) found.push({ outcome: "ok", message: "the app token is refused nothing that records need" });
  return [...found, await amlCheck(ask, isUsed), watermark, UNKNOWN];
}

async function amlCheck(ask: Ask, isUsed: boolean): Promise<SourceCheck> {
  if (!isUsed) return { outcome: "ok", message: "AML cases are not asked for (aml: false)" };
  const refused = await isRefused(ask, amlCall(NO_ONE));
  if (refused === undefined) return notClear(amlCall(NO_ONE).name);
  if (refused)
    return {
      outcome: "warning",
      message: "the app token may not view AML cases: every record will lack them",
      hint: `Add the permission "View AML screening" ${WHERE}. If you do not use AML screening, write aml: false in the source.`,
    };
  return {
    outcome: "ok",
    message:
      "the app token may view AML cases; Sumsub answers ten a minute, so write aml: false if you do not use AML screening",
  };
}

/** Said each time, because either ruins an archive without an error. */
const UNKNOWN: SourceCheck = {
  outcome: "unknown",
  message: `whether the token expires, or sees the applicants of some source keys only, could not be checked: look ${WHERE}`,
};

const notClear = (names: string): SourceCheck => ({
  outcome: "unknown",
  message: `whether the app token may ask ${names} could not be checked: the answer is not in Sumsub's own form`,
});

/** No one has the id, so every other answer of Sumsub says that the token may ask. Undefined for an answer that is not Sumsub's. */
async function isRefused(ask: Ask, call: Call): Promise<boolean | undefined> {
  try {
    await ask(call);
    return false;
  } catch (error) {
    if (hasCode(error, "source-denied")) return true;
    if (hasCode(error, "source-missing", "source-rejected")) return false;
    if (hasCode(error, "source-response")) return undefined;
    throw error;
  }
}
