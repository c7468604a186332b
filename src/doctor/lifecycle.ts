import { GetBucketLifecycleConfigurationCommand, type LifecycleRule } from "@aws-sdk/client-s3";
import { LEASE, PROBE } from "../vault/layout.ts";
import type { BucketSettings } from "./bucket.ts";
import { type Finding, findings } from "./finding.ts";
import { notKnown } from "./settings.ts";

const { ok, warning, failure } = findings("lifecycle");

const HINT =
  "Add a rule with AbortIncompleteMultipartUpload (7 days) for the prefix: the store keeps, and bills, the parts of an interrupted upload until it is aborted.";

/** A rule should abort unfinished uploads; no rule may delete what must be kept. */
export async function checkLifecycle(bucket: BucketSettings): Promise<Finding[]> {
  const answer = await bucket.ask("GET lifecycle", (s3, at) => s3.send(new GetBucketLifecycleConfigurationCommand(at)));
  if (!answer.output) {
    if (/^NoSuch/.test(answer.name)) return [warning("no rule aborts unfinished uploads", HINT)];
    return [notKnown("lifecycle", "rules", "s3:GetLifecycleConfiguration", answer)];
  }
  const rules = (answer.output.Rules ?? []).filter(({ Status }) => Status === "Enabled");
  const { prefix } = bucket;
  const removing = rules.filter((rule) => removes(rule) && touches(prefixOf(rule), prefix));
  const aborting = rules.some((rule) => rule.AbortIncompleteMultipartUpload && prefix.startsWith(prefixOf(rule)));
  return [
    ...removing.map((rule) =>
      failure(
        `a rule deletes what must be kept${rule.ID && /^[\w .-]{1,60}$/.test(rule.ID) ? ` (${rule.ID})` : ""}: objects under ${prefixOf(rule) || "the whole bucket"} are hidden, or deleted once their lock ends`,
        "Remove the rule, or limit it to another prefix: Holdfast itself purges what need not be kept.",
      ),
    ),
    aborting ? ok("a rule aborts unfinished uploads") : warning("no rule aborts unfinished uploads", HINT),
  ];
}

function prefixOf({ Filter, Prefix }: LifecycleRule): string {
  return Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? "";
}

/** `ExpiredObjectDeleteMarker` alone only removes markers of objects that have no versions left. */
function removes({ Expiration, NoncurrentVersionExpiration }: LifecycleRule): boolean {
  const hides = Expiration?.Days !== undefined || Expiration?.Date !== undefined;
  return hides || NoncurrentVersionExpiration !== undefined;
}

/** Whether a rule applies to anything in the vault except old leases and probes, which may be deleted. */
function touches(rule: string, vault: string): boolean {
  if (vault.startsWith(rule)) return true;
  return rule.startsWith(vault) && ![LEASE, PROBE].some((name) => rule === vault + name);
}
