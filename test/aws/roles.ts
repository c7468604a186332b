import type { Policy } from "./policy.ts";
import { resolveTemplate } from "./template.ts";

export const BUCKET = "acme-kyc";
export const PREFIX = "holdfast";
export const PURGER = "arn:aws:iam::123456789012:role/purger";

export const ROLES = ["Exporter", "Retriever", "Purger", "Verifier"] as const;
export type Role = (typeof ROLES)[number];

/** What decides about a role's requests: its own policy, the bucket policy, and its name. */
export interface Rules {
  readonly own: Policy;
  readonly bucket: Policy;
  readonly principal: string;
}

export function rules(role: Role, parameters: Readonly<Record<string, string>> = {}): Rules {
  const { Resources } = resolveTemplate({ BucketName: BUCKET, Prefix: PREFIX, PurgerArn: PURGER, ...parameters });
  const document = (name: string) => Resources[name]!.Properties.PolicyDocument as Policy;
  const principal = arnOf(role);
  return { own: document(`${role}Policy`), bucket: document("BucketPolicy"), principal };
}

/** The exporter with the hardener's policy as well, for retention.coolingOff. */
export function hardener(parameters: Readonly<Record<string, string>> = {}): Rules {
  const principal = arnOf("Hardener");
  const given = {
    BucketName: BUCKET,
    Prefix: PREFIX,
    PurgerArn: PURGER,
    HardenerArn: principal,
    LockMode: "compliance",
  };
  const { Resources } = resolveTemplate({ ...given, ...parameters });
  const document = (name: string) => Resources[name]!.Properties.PolicyDocument as Policy;
  const Statement = [...document("ExporterPolicy").Statement, ...document("HardenerPolicy").Statement];
  return { own: { ...document("ExporterPolicy"), Statement }, bucket: document("BucketPolicy"), principal };
}

function arnOf(role: Role | "Hardener"): string {
  return `arn:aws:iam::123456789012:role/${role.toLowerCase()}`;
}
