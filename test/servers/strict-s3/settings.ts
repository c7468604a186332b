import { type Answer, document, element } from "./answer.ts";
import { Refusal } from "./refusal.ts";
import type { Request } from "./request.ts";
import type { Store } from "./store.ts";

/** An administrator's settings. Null if not set. */
export interface Settings {
  readonly encryption?: string | null;
  /** Which of its four switches are on. */
  readonly publicAccessBlock?: readonly boolean[] | null;
  readonly public?: boolean;
  /** The rules' XML, or null. */
  readonly lifecycle?: string | null;
  /** The default retention's XML. */
  readonly retention?: string;
}

/** A rule that aborts unfinished uploads in the whole bucket. */
export const ABORTS = `<Rule><ID>uploads</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>`;

export function getEncryption(store: Store, request: Request): Answer {
  store.bucket(request);
  const { encryption = "AES256" } = store.settings;
  if (encryption === null) throw new Refusal(404, "ServerSideEncryptionConfigurationNotFoundError");
  const rule = element("ApplyServerSideEncryptionByDefault", [element("SSEAlgorithm", encryption)]);
  return document("ServerSideEncryptionConfiguration", [element("Rule", [rule])]);
}

export function getPublicAccessBlock(store: Store, request: Request): Answer {
  store.bucket(request);
  const { publicAccessBlock = [true, true, true, true] } = store.settings;
  if (publicAccessBlock === null) throw new Refusal(404, "NoSuchPublicAccessBlockConfiguration");
  const names = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
  return document(
    "PublicAccessBlockConfiguration",
    names.map((name, index) => element(name, publicAccessBlock[index] ?? false)),
  );
}

export function getPolicyStatus(store: Store, request: Request): Answer {
  store.bucket(request);
  return document("PolicyStatus", [element("IsPublic", store.settings.public ?? false)]);
}

export function getLifecycle(store: Store, request: Request): Answer {
  store.bucket(request);
  const { lifecycle = ABORTS } = store.settings;
  if (lifecycle === null) throw new Refusal(404, "NoSuchLifecycleConfiguration");
  return document("LifecycleConfiguration", [lifecycle]);
}
