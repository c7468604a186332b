/** What the restricted key may do and see. */

export interface Rights {
  /** *Verification Sessions and Reports: Read*. */
  readonly sessions: boolean;
  /** *Access recent sensitive verification results* sees 48 hours back; *Access all…* any age, with an allow-list only. */
  readonly sensitive: "none" | "recent" | "all";
  /** Whether the key has a list of addresses from which it works. */
  readonly allowList: boolean;
  /** Whether the caller's address is on it. */
  readonly addressAllowed: boolean;
  /** What the API does with a sensitive name in `expand[]` that the key may not see. Stripe's documentation does not say. */
  readonly unseen: 400 | 403 | "left out";
  /** *Files: Read* answers metadata, *Files: Write* also makes links. */
  readonly files: "none" | "read" | "write";
  /** Whether the bytes may be read with the key. Then metadata has a `url`. */
  readonly contents: boolean;
  readonly events: boolean;
  /** Whether `GET /v1/account` answers. */
  readonly account: boolean;
}

export const RIGHTS: Rights = {
  sessions: true,
  sensitive: "all",
  allowList: true,
  addressAllowed: true,
  unseen: 403,
  files: "write",
  contents: true,
  events: true,
  account: true,
};

const RECENT = 48 * 3600;

/** Whether the key sees the sensitive members of what was submitted then. Times are Unix seconds. */
export function sees({ sensitive, allowList }: Rights, submitted: number, now: number): boolean {
  if (sensitive === "none") return false;
  return (sensitive === "all" && allowList) || now - submitted < RECENT;
}
