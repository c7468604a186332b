import { GetBucketLifecycleConfigurationCommand, type LifecycleRule } from "@aws-sdk/client-s3";
import { LEASE, PROBE } from "../vault/layout.ts";
import type { Bucket } from "./bucket.ts";
import { type Finding, findings } from "./finding.ts";
import { notKnown } from "./settings.ts";

const { ok, warning, failure } = findings("lifecycle");

const HINT =
  "Add a rule with AbortIncompleteMultipartUpload (7 days) for the prefix: parts of an upload that was cut are stored, and paid for, until someone ends it.";

/** Rules that end unfinished uploads are wanted; rules that remove what must be kept are not. */
export async function checkLifecycle(bucket: Bucket): Promise<Finding[]> {
  const answer = await bucket.ask("GET lifecycle", (s3, at) => s3.send(new GetBucketLifecycleConfigurationCommand(at)));
  if (!answer.output) {
    if (/^NoSuch/.test(answer.name)) return [warning("no rule ends unfinished uploads", HINT)];
    return [notKnown("lifecycle", "rules", "s3:GetLifecycleConfiguration", answer)];
  }
  const rules = (answer.output.Rules ?? []).filter(({ Status }) => Status === "Enabled");
  const { prefix } = bucket;
  const removing = rules.filter((rule) => removes(rule) && touches(prefixOf(rule), prefix));
  const aborting = rules.some((rule) => rule.AbortIncompleteMultipartUpload && prefix.startsWith(prefixOf(rule)));
  return [
    ...removing.map((rule) =>
      failure(
        `a rule removes what must be kept${rule.ID && /^[\w .-]{1,60}$/.test(rule.ID) ? ` (${rule.ID})` : ""}: objects under ${prefixOf(rule) || "the whole bucket"} are hidden, or deleted once their lock ends`,
        "Take the rule away, or limit it to another prefix: Holdfast itself purges what need not be kept.",
      ),
    ),
    aborting ? ok("unfinished uploads are ended by a rule") : warning("no rule ends unfinished uploads", HINT),
  ];
}

function prefixOf({ Filter, Prefix }: LifecycleRule): string {
  return Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? "";
}

/** `ExpiredObjectDeleteMarker` alone takes away marks under which nothing is left. */
function removes({ Expiration, NoncurrentVersionExpiration }: LifecycleRule): boolean {
  const hides = Expiration?.Days !== undefined || Expiration?.Date !== undefined;
  return hides || NoncurrentVersionExpiration !== undefined;
}

/** Whether a rule for `rule` meets anything of the vault but what may go: old leases, and probes. */
function touches(rule: string, vault: string): boolean {
  if (vault.startsWith(rule)) return true;
  return rule.startsWith(vault) && ![LEASE, PROBE].some((name) => rule === vault + name);
}
