import { hasCode } from "../../core/error.ts";
import type { Call } from "../http.ts";
import type { SourceCheck } from "../source.ts";
import { missingAttributes, parseList, type Resource, related } from "./answers.ts";
import { documentCall, inquiriesCall, pageCall, SEARCH, SINGLE, searchCall } from "./calls.ts";
import type { Ask } from "./gathering.ts";

/** Objects to ask for: the newest inquiries name them. */
const NEWEST = 20;
const LATER = "Records are made again as they come up in the slow round (source.resync).";
const GRANT = `Give the key this permission in Persona's dashboard (API Keys). ${LATER}`;

/** What the key may not read, and whether a blocklist takes attributes away. Each right is tried by asking. */
export async function checkKey(ask: Ask): Promise<SourceCheck[]> {
  const call = inquiriesCall(NEWEST, null);
  const { data } = parseList(call.name, await ask(call));
  const first = (relation: string): string | undefined =>
    data.flatMap((inquiry) => related(inquiry, relation)).at(0)?.id;
  const [document, verification] = [first("documents"), first("verifications")];
  const tries: [string, string, Call | undefined][] = [
    ["document.read", "documents and their pictures", document === undefined ? undefined : documentCall(document)],
    [
      "verification.read",
      "verifications and their pictures",
      verification === undefined ? undefined : SINGLE.verifications!(verification),
    ],
    ["account.read", "accounts", pageCall("accounts")],
    ["report.read", "reports", pageCall("reports")],
    ["case.read", "cases", pageCall("cases")],
    ["txn.read", "transactions", pageCall("transactions")],
  ];
  const found: SourceCheck[] = [blocklist(data)];
  for (const [permission, what, asked] of tries) {
    if (asked === undefined)
      found.push({ outcome: "unknown", message: `no inquiry has ${what}, so ${permission} could not be checked` });
    else if (await isDenied(ask, asked))
      found.push({
        outcome: "warning",
        message: `the key lacks ${permission}: every record will lack ${what}`,
        hint: GRANT,
      });
    else found.push({ outcome: "ok", message: `the key may read ${what} (${permission})` });
  }
  found.push(await search(ask));
  return found;
}

async function search(ask: Ask): Promise<SourceCheck> {
  // In the future: no one changed then, so this answers no one's data.
  const call = searchCall("2100-01-01T00:00:00.000Z", 1, null);
  if (!(await isDenied(ask, call))) return { outcome: "ok", message: "the key may search for changed inquiries" };
  return {
    outcome: "warning",
    message: `the key may not search (${SEARCH}): each night lists all inquiries instead`,
    hint: "Give the key inquiry.read without limits in Persona's dashboard (API Keys).",
  };
}

function blocklist(inquiries: readonly Resource[]): SourceCheck {
  if (inquiries.length === 0)
    return { outcome: "unknown", message: "there is no inquiry, so the attribute blocklist could not be checked" };
  const missing = new Set(inquiries.flatMap(missingAttributes));
  if (missing.size === 0) return { outcome: "ok", message: "inquiries have all their attributes" };
  return {
    outcome: "warning",
    message: `inquiries lack attributes that all inquiries have: ${[...missing].join(", ")}. No record is complete`,
    hint: `Remove them from the key's attribute blocklist in Persona's dashboard (API Keys). ${LATER}`,
  };
}

/** An object that is gone meanwhile says that the key may read it. */
async function isDenied(ask: Ask, call: Call): Promise<boolean> {
  try {
    await ask(call);
    return false;
  } catch (error) {
    if (hasCode(error, "source-denied")) return true;
    if (hasCode(error, "source-missing")) return false;
    throw error;
  }
}
