import * as z from "zod";
import { hasCode } from "../../core/error.ts";
import { checked, list, object, parseAnswer, word } from "../answer.ts";
import type { Call } from "../http.ts";
import type { SourceCheck } from "../source.ts";
import { fileIds, type Members, parseSession, sessionOf } from "./answers.ts";
import { eventsCall, FILE, FILE_LINK, fileCall, fileLinkCall, SESSIONS, sessionCall, sessionsCall } from "./calls.ts";
import { filesOrigin } from "./contents.ts";
import type { Ask } from "./gathering.ts";

/** How long a key with the lesser right sees sensitive results. */
const RECENT = Temporal.Duration.from({ hours: 48 });
const WHERE = "in Stripe's dashboard (API keys)";

/** What the key may see, found by asking. Each right that it lacks says what every record would lack. */
export async function checkKey(ask: Ask, api: string, now: Temporal.Instant): Promise<SourceCheck[]> {
  const old = Math.floor(now.subtract(RECENT).epochMilliseconds / 1_000);
  const [before, since] = [
    await reported(ask, `&created%5Blt%5D=${old - 86_400}`),
    await reported(ask, `&created%5Bgte%5D=${old}`),
  ];
  return [await sensitive(ask, before, since), await files(ask, api, before ?? since), await events(ask, now)];
}

/** A session of that time with a report. */
async function reported(ask: Ask, filter: string): Promise<Members | undefined> {
  const call = sessionsCall(100, null, filter);
  const { data } = object(parseAnswer(SESSIONS, await ask(call)));
  return list(data)
    .map(object)
    .find(({ last_verification_report: report }) => "id" in object(report));
}

async function sensitive(ask: Ask, old: Members | undefined, recent: Members | undefined): Promise<SourceCheck> {
  const hint = `Give the restricted key an IP allow-list and "Access all sensitive verification results: Read" ${WHERE}. Each record is made again the next time its session is asked for.`;
  const lacks = "date of birth, document number, expiry and ID number";
  if (old && (await sees(ask, old))) return { outcome: "ok", message: "the key may see sensitive results of any age" };
  if (recent && (await sees(ask, recent))) {
    if (!old)
      return {
        outcome: "unknown",
        message: `no session is older than 48 hours, so whether the key may still see sensitive results then could not be checked`,
      };
    return {
      outcome: "warning",
      message: `the key sees sensitive results for 48 hours only: records made later, or made again, will lack ${lacks}`,
      hint,
    };
  }
  if (!old && !recent)
    return {
      outcome: "unknown",
      message: "no session has a report, so the right to sensitive results could not be checked",
    };
  if (!recent)
    return {
      outcome: "warning",
      message: `the key may not see sensitive results older than 48 hours: such records will lack ${lacks}`,
      hint,
    };
  return {
    outcome: "warning",
    message: `the key may not see sensitive results: every record will lack ${lacks}`,
    hint,
  };
}

async function sees(ask: Ask, members: Members): Promise<boolean> {
  const { id } = sessionOf(SESSIONS, members);
  const call = sessionCall(id, "all");
  try {
    const { last } = parseSession(await ask(call), id);
    return "dob" in object(last.document) || "dob" in object(last.id_number);
  } catch (error) {
    if (!hasCode(error, "source-denied", "source-rejected")) throw error;
    return false;
  }
}

async function files(ask: Ask, api: string, session: Members | undefined): Promise<SourceCheck> {
  const { document } = object(session?.last_verification_report);
  const [file] = fileIds(object(document).files);
  if (file === undefined)
    return { outcome: "unknown", message: "no session has a picture, so the right to files could not be checked" };
  const call = fileCall(file);
  let url: string | null = null;
  const refused = await isRefused(async () => {
    url = word(checked(FILE, z.object({ url: z.unknown() }), parseAnswer(FILE, await ask(call))).url);
    if (url !== null) filesOrigin(url, api);
  });
  if (!refused && url !== null) return { outcome: "ok", message: "the key may read pictures itself" };
  // A time in the past: Stripe refuses the key first if it lacks the right, and otherwise the time. It makes no link.
  const hint = `Give the restricted key Files: Write ${WHERE}, then run \`holdfast export --withheld\`.`;
  const lacks = "every record will lack its pictures";
  if (
    refused ||
    (await isDenied(
      ask,
      fileLinkCall(file, () => 1),
    ))
  )
    return { outcome: "warning", message: `the key may neither read pictures nor make links to them: ${lacks}`, hint };
  return {
    outcome: "ok",
    message: `the key reads pictures by links that open for 30 seconds (${FILE_LINK}, the only request that creates something)`,
  };
}

async function events(ask: Ask, now: Temporal.Instant): Promise<SourceCheck> {
  if (!(await isDenied(ask, eventsCall(Math.floor(now.epochMilliseconds / 1_000), 1, null))))
    return { outcome: "ok", message: "the key may list events" };
  return {
    outcome: "warning",
    message: "the key may not list events: each night lists all sessions instead",
    hint: `Give the restricted key Events: Read ${WHERE}.`,
  };
}

function isDenied(ask: Ask, call: Call): Promise<boolean> {
  return isRefused(() => ask(call));
}

/** A request that Stripe rejects for another reason says that the key has the right. */
async function isRefused(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (hasCode(error, "source-denied")) return true;
    if (hasCode(error, "source-rejected", "source-missing")) return false;
    throw error;
  }
}
