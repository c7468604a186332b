import { isProviderKind, PROVIDERS, type Provider } from "../provider/provider.ts";
import { isObject } from "./json.ts";
import type { OpenedVersion } from "./opened.ts";

/** Whose record it is, by the newest version that is open. Null while all are sealed, and for one this page does not know. */
export function providerOf(versions: readonly OpenedVersion[] | null): Provider | null {
  const source: unknown = newest(versions)?.source;
  const kind = isObject(source) ? source.kind : undefined;
  return typeof kind === "string" && isProviderKind(kind) ? PROVIDERS[kind] : null;
}

/** The provider's id of the identity, in its own words. A minimal record has no id. */
export function providerIdOf(versions: readonly OpenedVersion[] | null): string | null {
  const identity: unknown = newest(versions)?.identity;
  const id = isObject(identity) ? identity.id : undefined;
  return typeof id === "string" && id !== "" ? id : null;
}

function newest(versions: readonly OpenedVersion[] | null) {
  return versions?.findLast(({ record }) => record !== null)?.record;
}
