/** What the API key may do and see: its permissions, attributes that are stripped for it, the addresses it works from. */

export interface Rights {
  readonly permissions: readonly string[];
  /** As in the dashboard: `name-*` anywhere, or a path such as `/included/attributes/birthdate`. */
  readonly blocklist: readonly string[];
  /** Whether the caller's address is on the key's allow-list. */
  readonly addressAllowed: boolean;
  /** How long file URLs are valid. */
  readonly fileSeconds: number;
}

export const RIGHTS: Rights = {
  // api_key.read is off by default.
  permissions: ["inquiry", "verification", "document", "report", "account", "case", "txn", "event"].map(
    (n) => `${n}.read`,
  ),
  blocklist: [],
  addressAllowed: true,
  fileSeconds: 21_600,
};

const PERMISSION: Readonly<Record<string, string>> = {
  ...{ inq: "inquiry.read", iqse: "inquiry.read", dev: "inquiry.read", self: "inquiry.read" },
  ...{ ver: "verification.read", doc: "document.read", docf: "document.read", rep: "report.read" },
  ...{ act: "account.read", case: "case.read", cscm: "case.read", evt: "event.read", api: "api_key.read" },
};

/** Whether the key may read objects of that kind, which is an id's prefix. */
export function mayRead(rights: Rights, kind: string): boolean {
  const needed = PERMISSION[kind];
  return needed === undefined || rights.permissions.includes(needed);
}

const glob = (pattern: string) =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);

/** Removes what the key may not see. Ids and types stay, and so does the shape around a removed attribute. */
export function strip(value: unknown, blocklist: readonly string[]): unknown {
  if (blocklist.length === 0) return value;
  const names = blocklist.filter((entry) => !entry.startsWith("/")).map(glob);
  const paths = blocklist.filter((entry) => entry.startsWith("/")).map(glob);
  const walk = (part: unknown, path: string, inside: boolean): unknown => {
    if (Array.isArray(part)) return part.map((item) => walk(item, path, inside));
    if (typeof part !== "object" || part === null) return part;
    const kept = Object.entries(part).filter(([name]) => {
      if (!inside) return true;
      const kebab = name.replaceAll("_", "-");
      return !names.some((pattern) => pattern.test(kebab)) && !paths.some((pattern) => pattern.test(`${path}/${name}`));
    });
    return Object.fromEntries(
      kept.map(([name, item]) => [name, walk(item, `${path}/${name}`, inside || name === "attributes")]),
    );
  };
  return walk(value, "", false);
}
