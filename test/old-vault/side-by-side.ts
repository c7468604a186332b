import type { WireResource } from "../sandbox/wire.ts";
import { OldVault } from "./old-vault.ts";
import { PEOPLE, PERSON } from "./provider.ts";

/** Of whom the mixed vault has what, by index; `both` and `resources` have a record/1 and a record/2. */
export const MIXED = { both: 7, resources: 0, old: PERSON.changed, fresh: PEOPLE } as const;

/** Once more a page of the same document. */
export const withPage = ([first, ...others]: WireResource[]): WireResource[] => {
  const [file] = first!.resource_files;
  const page = { ...file!, id: "00000000-0000-4000-8000-000000000001", page: 9 };
  return [{ ...first!, resource_files: [...first!.resource_files, page] }, ...others];
};

/** The old vault after nights with this version: some people have a record/1, some a record/2, some one of each. */
export async function mixedVault(): Promise<OldVault> {
  const old = await OldVault.unpack();
  const { provider } = old;
  await old.night("2025-11-12");
  provider.sandbox.change([MIXED.both]);
  old.joined(provider.sandbox.add(1));
  provider.alter(MIXED.resources, withPage);
  // A month later it is everyone's turn.
  await old.night("2025-12-13");
  return old;
}
